// Children of a supervisor that run on other nodes.
//
//   spec.Add({.id = "counter", .backoff = RestartBackoff{}},
//            ChildOn<CounterApi>(node, {.where = "b", .factory = "counter"},
//                                /*opening=*/5));
//   spec.Add({.id = "worker"},
//            ChildOn<WorkerApi>(node, {.where = [&] { return Idlest(node); },
//                                      .factory = "worker"}));
//
// Each start has an actor started by a factory of that node, as SpawnOn() does
// (spawn.h). To its supervisor the child is like one at home: strategy,
// intensity, backoff, order of starts and stops, limits of shutdowns, ChildRef.
// Its class hands no state on.
//
// Where the connection with its node is lost, the child has ended, with the
// reason kNoConnection, which no restart regards as graceful. A restart is then
// a start like any other: elsewhere, if `where` picks another node; otherwise
// it fails as long as there is no session, and each failure counts. So give
// such a child a RestartBackoff.
//
// Promises: of one supervisor's child at most one instance runs that has been
// started and whose connection was not lost. The one behind a lost connection
// is stopped by its own node, as soon as that notices (NodeOptions::silence),
// and killed if it does not stop within the limit of its system
// (ActorSystem::Options). Until then there may be two: what must be one at any
// time needs more than supervision. A child that is killed because it did not
// stop in time is told so, and not waited for.
//
// Ownership: the node's parts that this needs outlive the actors of its system,
// of which the supervisor is one.
// Blocking: `where` is called in the supervisor's turn, and must not block.
// Errors: a start that fails is one, with the status of SpawnOn(), or of
// `where`.
#ifndef TROUPE_CLUSTER_REMOTE_CHILD_H_
#define TROUPE_CLUSTER_REMOTE_CHILD_H_

#include <concepts>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/cluster/internal/stand_in.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/spawn.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/supervision/start_context.h"

namespace troupe {

// The name of a node, or what picks one at each start.
class Place {
 public:
  using Pick = std::function<absl::StatusOr<std::string>()>;

  // NOLINTNEXTLINE(google-explicit-constructor)
  Place(std::string node) : pick_([node = std::move(node)] { return node; }) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Place(const char* node) : Place(std::string(node)) {}
  template <std::invocable F>
  // NOLINTNEXTLINE(google-explicit-constructor)
  Place(F pick) : pick_(std::move(pick)) {}

  absl::StatusOr<std::string> operator()() const { return pick_(); }

 private:
  Pick pick_;
};

struct RemoteStart {
  Place where;
  std::string factory;
  // How long one start may take.
  absl::Duration within = absl::Seconds(5);
};

// A function that starts such a child, for ChildSpec::Of() and Spec::Add().
template <typename... Ps, typename... Args>
auto ChildOn(Node& node, RemoteStart how, const Args&... args) {
  internal::NodeCore& core = node.core();
  return [&core, how = std::move(how),
          request = internal::AskForStart(core, WireTypesOf<Ps...>(), args...)](
             StartContext& start) -> absl::StatusOr<ActorRef<Ps...>> {
    const absl::StatusOr<std::string> where = how.where();
    if (!where.ok()) return where.status();
    const auto child =
        start.SpawnUnchecked<internal::RemoteStandIn<MessagesOf<Ps...>>>(
            SpawnOptions(), std::ref(core),
            absl::StrCat(how.factory, "@", *where), request, how.within);
    if (!child.ok()) return child.status();
    return ActorRef<Ps...>(child->cell(), child->id().value());
  };
}

}  // namespace troupe

#endif  // TROUPE_CLUSTER_REMOTE_CHILD_H_
