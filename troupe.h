// All that a program with actors includes, and systems in which all of it works
// together:
//
//   auto system = troupe::CreateSystem();
//   if (!system.ok()) return 1;
//   (*system)->Spawn<Account>({.name = "savings"}, 100);
//
// The parts are targets of their own, for who wants less: //actor,
// //supervision, //registry, //registry:groups, //stream. An ActorSystem that
// is made without this header has what its program asks it for
// (ActorSystem::Get()).
#ifndef TROUPE_TROUPE_H_
#define TROUPE_TROUPE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/adapted_ref.h"
#include "troupe/actor/call_all.h"
#include "troupe/actor/call_any.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/events.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/retry.h"
#include "troupe/actor/run_blocking.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/stash.h"
#include "troupe/actor/stopped.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timed_ref.h"
#include "troupe/actor/when_all.h"
#include "troupe/actor/when_any.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/names.h"
#include "troupe/stream/event_port.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/publishes.h"
#include "troupe/supervision/supervisor.h"

namespace troupe {

// As ActorSystem::Create(); actors may have names, which Get<Names>() finds
// (registry/names.h). Groups (registry/groups.h) and ports (stream/) need no
// preparation.
inline absl::StatusOr<std::unique_ptr<ActorSystem>> CreateSystem(
    const ActorSystem::Options& options = {}) {
  absl::StatusOr<std::unique_ptr<ActorSystem>> system =
      ActorSystem::Create(options);
  if (system.ok()) (*system)->Get<Names>();
  return system;
}

}  // namespace troupe

#endif  // TROUPE_TROUPE_H_
