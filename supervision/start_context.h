// What a function gets that starts a supervised child:
//
//   spec.Add({.id = "teller"}, [account](StartContext& start) {
//     return start.Spawn<Teller>(account.ref());
//   });
//
// It spawns one actor, and returns its reference, or a Status. It is called for
// the first start and for each restart, in the supervisor's turn, and must not
// block. What it throws is a failed start.
//
// Thread safety: belongs to the supervisor's turn.
#ifndef TROUPE_SUPERVISION_START_CONTEXT_H_
#define TROUPE_SUPERVISION_START_CONTEXT_H_

#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/actor_type.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_forms.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/spawn.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/mailbox/capacity.h"

namespace troupe {

class StartContext {
 public:
  // Makes the child, an object A(args...); the arguments are copied or moved,
  // std::ref() keeps a reference. One whose PreStart is a coroutine,
  // or that has a thread of its own, starts later: its reference is usable, and
  // the supervisor waits for the start.
  //
  // Errors: as those of Actor::Spawn(). kFailedPrecondition: this start has
  // spawned its actor already.
  template <typename A, typename... Args>
  absl::StatusOr<typename A::Ref> Spawn(const SpawnOptions& options,
                                        Args&&... args);
  template <typename A, typename... Args>
  requires(!internal::kBeginsWithOptions<Args...>)
      absl::StatusOr<typename A::Ref> Spawn(Args&&... args) {
    return Spawn<A>(SpawnOptions(), std::forward<Args>(args)...);
  }

  // For the runtime: of a class that handles messages in a way of its own.
  template <typename A, typename... Args>
  absl::StatusOr<typename A::Ref> SpawnUnchecked(const SpawnOptions& options,
                                                 Args&&... args);

  ActorSystem& system() const { return supervisor_.system->system(); }
  // The child's.
  absl::string_view id() const { return id_; }
  // Such as "bank/tellers".
  absl::string_view supervisor_path() const { return supervisor_path_; }
  // How often it was started before.
  uint64_t earlier_starts() const { return earlier_starts_; }
  // What the instance before this one handed on, if it did. An actor that has
  // RestoreState() has it called with that, before PreStart.
  const HandedState& state() const { return state_; }

  // For the runtime.
  StartContext(internal::Cell& supervisor, absl::string_view id,
               absl::string_view supervisor_path, uint64_t earlier_starts,
               HandedState state,
               absl::FunctionRef<internal::ReplyRoute()> start_answer)
      : supervisor_(supervisor),
        id_(id),
        supervisor_path_(supervisor_path),
        earlier_starts_(earlier_starts),
        state_(std::move(state)),
        start_answer_(start_answer) {}
  StartContext(const StartContext&) = delete;
  StartContext& operator=(const StartContext&) = delete;

  // What was spawned; null if nothing was.
  const AnyActorRef& spawned() const { return spawned_; }
  // Whether it answers later how it has started.
  bool starts_later() const { return starts_later_; }

 private:
  template <typename A, typename... Args>
  AnyActorRef SpawnNow(const SpawnOptions& options, absl::Status& failure,
                       Args&&... args);
  absl::Status CheckFirst() const;

  internal::Cell& supervisor_;
  const absl::string_view id_;
  const absl::string_view supervisor_path_;
  const uint64_t earlier_starts_;
  const HandedState state_;
  // Makes a place for the answer how it has started.
  const absl::FunctionRef<internal::ReplyRoute()> start_answer_;
  AnyActorRef spawned_;
  bool starts_later_ = false;
};

namespace internal {

// Gives a new object what the one before it handed on.
template <typename A>
void Restore([[maybe_unused]] Cell& cell,
             [[maybe_unused]] const HandedState& state) {
  if constexpr (HasRestoreState<A>) {
    std::optional<StateOf<A>> value = state.Take<StateOf<A>>();
    if (!value.has_value()) return;
    // If it throws, the object has not been made.
    struct Undo {
      ~Undo() {
        if (cell != nullptr) kActorType<A>.destroy(*cell);
      }
      Cell* cell;
    } undo{&cell};
    ObjectOf<A>(cell).RestoreState(*std::move(value));
    undo.cell = nullptr;
  }
}

}  // namespace internal

template <typename A, typename... Args>
absl::StatusOr<typename A::Ref> StartContext::Spawn(const SpawnOptions& options,
                                                    Args&&... args) {
  internal::CheckActor<A>();
  return SpawnUnchecked<A>(options, std::forward<Args>(args)...);
}

template <typename A, typename... Args>
absl::StatusOr<typename A::Ref> StartContext::SpawnUnchecked(
    const SpawnOptions& options, Args&&... args) {
  static_assert((std::is_constructible_v<std::decay_t<Args>, Args&&> && ...),
                "the arguments of a start are copied or moved, for an actor "
                "that is constructed later; std::ref() keeps a reference");
  if (absl::Status status = CheckFirst(); !status.ok()) return status;
  if (internal::kStartsInTask<A> || internal::RunsElsewhere(options)) {
    absl::StatusOr<AnyActorRef> ref = internal::SpawnThere(
        internal::PlanFor<A>(*supervisor_.system, &supervisor_), options,
        [construct = internal::ConstructLater<A>(std::forward<Args>(args)...),
         state = state_](internal::Cell& cell) mutable {
          construct(cell);
          internal::Restore<A>(cell, state);
        },
        {start_answer_(), absl::AbortedError("it was not started")});
    if (!ref.ok()) return ref.status();
    spawned_ = *ref;
    starts_later_ = true;
  } else if constexpr (!internal::kStartsInTask<A>) {
    absl::Status failure;
    spawned_ = SpawnNow<A>(options, failure, std::forward<Args>(args)...);
    if (spawned_.IsNull()) return failure;
  }
  return internal::Typed<A>(spawned_);
}

template <typename A, typename... Args>
AnyActorRef StartContext::SpawnNow(const SpawnOptions& options,
                                   absl::Status& failure, Args&&... args) {
  static_assert(std::is_constructible_v<A, Args&&...>,
                "this actor cannot be constructed from these arguments");
  const auto construct = [&](internal::Cell& cell) {
    internal::ConstructIn<A>(cell, std::forward<Args>(args)...);
    internal::Restore<A>(cell, state_);
  };
  if constexpr (!internal::HasPreStart<A>) {
    if (options.name.empty() && !internal::IsBounded(options.mailbox)) {
      return internal::SpawnChildHere(supervisor_, internal::kActorType<A>,
                                      internal::kSlotClass<A>, construct,
                                      failure);
    }
  }
  return internal::SpawnHere(
      internal::PlanFor<A>(*supervisor_.system, &supervisor_), options,
      construct, failure);
}

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_START_CONTEXT_H_
