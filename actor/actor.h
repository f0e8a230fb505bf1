// The base class of actors.
//
//   struct Deposit { int64_t cents; };
//
//   class Account : public troupe::Actor<Deposit> {
//    public:
//     explicit Account(int64_t opening_cents) : cents_(opening_cents) {}
//     void Handle(Deposit m) { cents_ += m.cents; }
//
//    private:
//     int64_t cents_;
//   };
//
// An actor is a plain class: members are its state, one handler runs at a time,
// and each sees what the ones before it did. Its destructor always runs.
//
// Handlers: `Handle(M)`, `Handle(const M&)` or `Handle(M&&)` for each message M
// of its protocols, matched exactly. One-way messages: void, or absl::Status,
// where anything but OK fails the actor. What a handler throws fails it too.
//
// Hooks, all optional, returning void or absl::Status (anything but OK fails):
//   PreStart()                    on the spawner's thread; the spawn fails with
//                                 it. From here on the base may be used. A
//                                 Task: in the first turn; see SpawnAsync().
//   PostStart()                   the first turn.
//   PostStop(const ExitReason&)   after a stop or drain; not after a failure.
//   OnChild(const ChildEvent&)    without it, a child's failure fails the
//                                 parent, and a normal end does nothing.
//   OnDown(const Down&)           an actor that it monitors has ended; down.h.
//   OnExit(const Exit&)           one that it is linked to has; exit.h. Without
//                                 it, most ends but normal ones end this actor.
//   TakeState() &&                after a graceful end: what it returns goes to
//                                 the parent's OnChild. Never after a failure.
//
// Timers, as messages to the actor itself: SendAfter(), SendEvery(); timer.h.
//
// Ownership: the runtime owns the object, and destroys it when the actor ends.
// An actor that uses nothing of the base may also be built and called as a
// plain object, in a test.
// Thread safety: all members belong to the actor's own handlers and hooks.
// Its thread is any of the system's: what a handler sets for it (how to round,
// uselocale(), a mask of signals), it puts back before it returns or awaits.
#ifndef TROUPE_ACTOR_ACTOR_H_
#define TROUPE_ACTOR_ACTOR_H_

#include <concepts>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/actor_base.h"
#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/handler_forms.h"
#include "troupe/actor/internal/spawn.h"
#include "troupe/actor/internal/spawn_wait.h"
#include "troupe/actor/internal/timers.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/timer.h"

namespace troupe {

class ActorSystem;

template <typename... Ps>
class Actor : public internal::ActorBase {
 public:
  using Messages = MessagesOf<Ps...>;
  using Ref = ActorRef<Ps...>;

 protected:
  Actor() = default;
  ~Actor() = default;

  // This actor. May be given to anybody.
  Ref self() const {
    const AnyActorRef ref = untyped_self();
    return Ref(ref.cell(), ref.id().value());
  }

  // Makes a child of this actor, an object C(args...), and starts it. The child
  // ends when this actor does.
  //
  // Errors: what C's constructor or PreStart throws or returns, as a Status.
  // kFailedPrecondition: this actor is ending; a name without a name service.
  // kAlreadyExists: the name is taken.
  template <typename C, typename... Args>
  absl::StatusOr<typename C::Ref> Spawn(const SpawnOptions& options,
                                        Args&&... args) {
    CheckSpawn<C>();
    return internal::Spawn<C>(core(), &cell(), options,
                              std::forward<Args>(args)...);
  }
  template <typename C, typename... Args>
  requires(!internal::kBeginsWithOptions<Args...>)
      absl::StatusOr<typename C::Ref> Spawn(Args&&... args) {
    CheckSpawn<C>();
    return internal::SpawnChild<C>(cell(), std::forward<Args>(args)...);
  }

  // The same in a Task, for a child that may take its time: it constructs
  // itself in its first turn, on its own thread if it has one, and its PreStart
  // may be a coroutine. The arguments are copied or moved; std::ref() keeps a
  // reference.
  //
  //   absl::StatusOr<Cache::Ref> cache = co_await SpawnAsync<Cache>(path_);
  //
  // A child whose start nobody awaits any more is killed: at the end of
  // Within(), or when the coroutine is destroyed or told to give up.
  //
  // Errors, besides those of Spawn(): kDeadlineExceeded, kCancelled; kAborted:
  // the child was ended before it had started.
  template <typename C, typename... Args>
  SpawnAwaitable<C> SpawnAsync(const SpawnOptions& options, Args&&... args) {
    return internal::SpawnLater<C>(cell(), options,
                                   std::forward<Args>(args)...);
  }
  template <typename C, typename... Args>
  SpawnAwaitable<C> SpawnAsync(SpawnOptions&& options, Args&&... args) {
    static_assert(!internal::kDestroyedTwiceWhenAwaited<SpawnOptions>,
                  "GCC before 13 would destroy these options twice where they "
                  "are awaited: give them a name");
    return internal::SpawnLater<C>(cell(), options,
                                   std::forward<Args>(args)...);
  }
  template <typename C, typename... Args>
  requires(!internal::kBeginsWithOptions<Args...>)
      SpawnAwaitable<C> SpawnAsync(Args&&... args) {
    return internal::SpawnLater<C>(cell(), SpawnOptions(),
                                   std::forward<Args>(args)...);
  }

  // The same without a wait: the reference is usable at once, and what is sent
  // waits. A start that fails makes dead letters of it, and no event.
  template <typename C, typename... Args>
  absl::StatusOr<typename C::Ref> SpawnInstant(const SpawnOptions& options,
                                               Args&&... args) {
    return internal::SpawnInstant<C>(core(), &cell(), options,
                                     std::forward<Args>(args)...);
  }
  template <typename C, typename... Args>
  requires(!internal::kBeginsWithOptions<Args...>)
      absl::StatusOr<typename C::Ref> SpawnInstant(Args&&... args) {
    return internal::SpawnInstant<C>(core(), &cell(), SpawnOptions(),
                                     std::forward<Args>(args)...);
  }

  // Sends this actor M(args...) when `delay` has passed; zero and less: as soon
  // as others have run, infinite: never. It is handled in a turn of the actor,
  // before the messages that wait, urgent ones too, but not while a handler is
  // suspended.
  //
  // In an actor that ends, nothing is started, and what these return is over.
  template <typename M, typename... Args>
  Timer SendAfter(absl::Duration delay, Args&&... args) {
    CheckOwnMessage<M>();
    return internal::SendLater(
        cell(), delay, {internal::Build<M>(std::forward<Args>(args)...)});
  }
  // Sends it to `to`: as Send() at that time.
  template <typename M, std::derived_from<AnyActorRef> To, typename... Args>
  Timer SendAfter(const To& to, absl::Duration delay, Args&&... args) {
    return internal::SendLater(
        cell(), delay,
        internal::PlanFor<M>(to,
                             internal::Build<M>(std::forward<Args>(args)...)));
  }

  // Sends this actor copies of M(args...), one for each tick, until the timer
  // is cancelled. Fixed rate: what is late does not make later ones late.
  //
  //   SendEvery<Tick>(absl::Seconds(1));
  //   SendEvery<Tick>(Every{.period = absl::Seconds(1),
  //                         .first_after = absl::ZeroDuration()});
  //
  // REQUIRES: a period of 1 ns or more.
  template <typename M, typename... Args>
  Timer SendEvery(const Every& every, Args&&... args) {
    CheckOwnMessage<M>();
    return internal::SendRepeatedly(cell(), every,
                                    internal::Repeated<M>({internal::Build<M>(
                                        std::forward<Args>(args)...)}));
  }
  template <typename M, typename... Args>
  Timer SendEvery(absl::Duration period, Args&&... args) {
    return SendEvery<M>(Every{.period = period}, std::forward<Args>(args)...);
  }
  template <typename M, std::derived_from<AnyActorRef> To, typename... Args>
  Timer SendEvery(const To& to, const Every& every, Args&&... args) {
    return internal::SendRepeatedly(
        cell(), every,
        internal::Repeated<M>(internal::PlanFor<M>(
            to, internal::Build<M>(std::forward<Args>(args)...))));
  }
  template <typename M, std::derived_from<AnyActorRef> To, typename... Args>
  Timer SendEvery(const To& to, absl::Duration period, Args&&... args) {
    return SendEvery<M>(to, Every{.period = period},
                        std::forward<Args>(args)...);
  }

 private:
  template <typename C>
  static constexpr void CheckSpawn() {
    static_assert(
        !internal::kStartsInTask<C>,
        "PreStart of this actor is a coroutine: co_await SpawnAsync() "
        "waits for it, and SpawnInstant() does not");
  }
  template <typename M>
  static void CheckOwnMessage() {
    static_assert(internal::kListContains<Messages, M>,
                  "this actor does not take this message: it is in none of its "
                  "protocols");
  }
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ACTOR_H_
