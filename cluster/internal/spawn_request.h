// What nodes tell each other to start an actor on one for another.
//
//   asks                    receptionist         keeper (an actor for each)
//     --SpawnActor-------------> --makes------------> starts the actor, its
//     <--StartedActor-------------------------------- child
//     --KeepActor----------------------------------->
//     <--RemoteEnd----------------------------------- when that has ended
//
// An actor of which nobody says KeepActor in time is ended: its answer has not
// been heard, and nobody knows of it.
#ifndef TROUPE_CLUSTER_INTERNAL_SPAWN_REQUEST_H_
#define TROUPE_CLUSTER_INTERNAL_SPAWN_REQUEST_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/cluster/internal/asked_type.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/ref_codec.h"

namespace troupe::internal {

struct StartedActor {
  AnyActorRef actor;
  AnyActorRef keeper;
};

// kNotFound: no such factory. kFailedPrecondition: it takes other arguments, or
// what it makes other messages. Else why the start has failed.
struct SpawnActor {
  static constexpr absl::string_view kWireName = "troupe.SpawnActor";
  using Reply = StartedActor;
  std::string factory;
  std::string shape;  // Of the arguments.
  std::string arguments;
  std::vector<AnyActorRef> refs;  // To which they refer: see CollectedRefs.
  std::vector<AskedType> types;
  AnyActorRef owner;       // It ends with this one; null: with nobody.
  bool tells_end = false;  // The owner is told by RemoteEnd.
  // The node that asks; empty: this one. Whatever it says there, the session
  // writes the name of its peer here.
  std::string asker;
};

struct KeepActor {
  static constexpr absl::string_view kWireName = "troupe.KeepActor";
};

struct RemoteEnd {
  static constexpr absl::string_view kWireName = "troupe.RemoteEnd";
  ExitReason reason;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_SPAWN_REQUEST_H_
