// A Supervisor starts its children, restarts those that fail, and ends them
// all: in order, within limits, and giving up when that does not help. It is an
// actor, and may be a child of another supervisor.
//
//   Supervisor::Spec spec{.name = "bank", .strategy = kRestForOne};
//   ChildRef<AccountApi> account =
//       spec.Add<Account>({.id = "account"}, /*opening_cents=*/100);
//   spec.Add({.id = "teller"}, [account](StartContext& start) {
//     return start.Spawn<Teller>(account.ref());
//   });
//   absl::StatusOr<SupervisorRef> bank =
//       Supervisor::Start(system, std::move(spec));
//
// What it does when, is that of Erlang's supervisor; see strategy.h and
// child_options.h. A child that keeps failing never blocks it: requests of the
// SupervisorApi are answered meanwhile.
//
// Order: children start in the order in which they were added, each when the
// one before it has started, and stop in reverse order, each when the one after
// it has ended. kDynamic has no order, and stops them all at once.
// Failures: each is one SupervisionReport. A supervisor that gives up stops its
// children first, and then fails with a status that tells the chain of reasons;
// what its own parent does about that, is that one's affair.
// Ownership: instances are children of the supervisor's actor, and never
// outlive it.
// Blocking: Start() waits, and blocks a plain thread; in a Task use
// SpawnAsync<Supervisor>(spec).
// Thread safety: as every actor. A Spec has none.
#ifndef TROUPE_SUPERVISION_SUPERVISOR_H_
#define TROUPE_SUPERVISION_SUPERVISOR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/child_ref.h"
#include "troupe/supervision/child_spec.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervisor_api.h"

namespace troupe {

namespace internal {

class Supervision;

// To itself: there is more to do.
struct SupervisorTick {};

}  // namespace internal

class Supervisor : public Actor<SupervisorApi, internal::SupervisorTick> {
 public:
  struct Spec {
    // In paths and reports. Of a child that is a supervisor, its id counts.
    std::string name = "supervisor";
    Strategy strategy = kOneForOne;
    Intensity intensity = {};
    AutoShutdown auto_shutdown = kNever;
    std::vector<ChildSpec> children = {};

    // Adds a child, an object A(args...); see child_spec.h.
    template <typename A, typename... Args>
    auto Add(ChildOptions options, Args&&... args) {
      return Append(
          ChildSpec::Of<A>(std::move(options), std::forward<Args>(args)...),
          static_cast<typename A::Ref*>(nullptr));
    }
    // Adds what `start` spawns; see start_context.h.
    template <internal::StartsChild F>
    auto Add(ChildOptions options, F start) {
      return Append(ChildSpec::Of(std::move(options), std::move(start)),
                    static_cast<internal::StartedBy<F>*>(nullptr));
    }
    // Adds a supervisor with children of its own.
    ChildRef<SupervisorApi> Add(ChildOptions options, Spec spec);

    // For the two above.
    template <typename Ref>
    auto Append(ChildSpec child, Ref*) {
      auto ref = child.RefTo<Ref>();
      children.push_back(std::move(child));
      return ref;
    }
  };

  // A child that is a supervisor, for StartChild.
  static ChildSpec ChildOf(ChildOptions options, Spec spec);

  // Starts a supervisor as a top-level actor, and waits until all its children
  // have started. REQUIRES: not in a handler.
  //
  // kInvalidArgument: the Spec makes no sense; names the child, the field and
  // the value. Otherwise as the first start that failed; then none is left.
  static absl::StatusOr<SupervisorRef> Start(ActorSystem& system, Spec spec,
                                             const SpawnOptions& options = {});

  explicit Supervisor(Spec spec);
  // With a Spec that is used for several supervisors, one after the other.
  Supervisor(std::shared_ptr<Spec> spec, std::string path);
  ~Supervisor();

  // -- for the runtime

  static constexpr bool kHearsOfChildrenInHooks = true;

  Task<absl::Status> PreStart();
  Task<void> PostStop(const ExitReason& reason);
  void OnChild(const ChildEvent& event);

  void Handle(StartChild m, ReplyTo<AnyActorRef> reply);
  void Handle(const TerminateChild& m, ReplyTo<absl::Status> reply);
  void Handle(const RestartChild& m, ReplyTo<AnyActorRef> reply);
  void Handle(const DeleteChild& m, ReplyTo<absl::Status> reply);
  std::vector<ChildInfo> Handle(const ListChildren& m);
  absl::StatusOr<ChildInfo> Handle(const GetChild& m);
  ChildCounts Handle(const CountChildren& m);
  absl::Status Handle(const SetStrategy& m);
  void Handle(GetTree m, ReplyTo<SupervisionTree> reply);
  void Handle(internal::SupervisorTick m);

 private:
  friend class internal::Supervision;

  const std::shared_ptr<Spec> spec_;
  const std::string path_;
  std::unique_ptr<internal::Supervision> supervision_;  // From PreStart on.
};

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_SUPERVISOR_H_
