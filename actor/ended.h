// Waits in a Task for the end of another actor:
//
//   absl::StatusOr<ExitReason> why =
//       co_await Ended(child).ByDrain().Within(absl::Seconds(1));
//
// Yields the reason; at once if it had ended before (kNoActor), or if its node
// cannot be reached (kNoConnection). The end does not depend on who waits:
// giving up changes nothing for it.
//
// ByDrain() and the others ask the actor to end, and yield the reason however
// soon it does: the wait has begun by then. Where the wait is given up at once
// they ask, too.
//
// For a step of one's own work. It is no supervision: nothing says what became
// of an actor before anybody asked. A parent hears of its children by
// OnChild().
//
// Order: the actor has no status but kStopped, its name is free, and its parent
// has been told, if not yet heard.
// Cancellation: as of a call, see call.h.
// Blocking: no call blocks. A plain thread uses AnyActorRef::Wait(),
// StopAndWait() and their kin.
//
// kDeadlineExceeded: it has not ended in time. kCancelled: the request that is
// handled was given up. kFailedPrecondition: awaited outside of an actor, or by
// the actor itself; nothing is asked for. kPermissionDenied,
// kResourceExhausted: the actor's node refuses the wait or the end, or keeps
// too many waits.
#ifndef TROUPE_ACTOR_ENDED_H_
#define TROUPE_ACTOR_ENDED_H_

#include <coroutine>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/answer_wait.h"

namespace troupe {

namespace internal {

// What who waits for an end does for it.
enum class Urging : uint8_t { kNone, kStop, kShutdown, kDrain, kKill };

class EndWait final : public AnswerWait {
 public:
  EndWait(AnyActorRef actor, absl::Duration timeout, Urging by)
      : AnswerWait(timeout), actor_(actor), by_(by) {}
  ~EndWait() { Drop(); }

  bool await_suspend(std::coroutine_handle<> waiting);
  absl::StatusOr<ExitReason> await_resume();

 private:
  std::string What() const override;
  void OnGiveUp() override;
  bool IsOwn() const;
  void Urge() const;

  const AnyActorRef actor_;
  const Urging by_;
};

}  // namespace internal

class [[nodiscard]] Ended {
 public:
  explicit Ended(const AnyActorRef& actor) : actor_(actor) {}

  // Has it stop, as Stop() does: with the reason normal, or shutdown.
  Ended ByStop() && { return By(internal::Urging::kStop); }
  Ended ByShutdown() && { return By(internal::Urging::kShutdown); }
  // As Drain() and Kill() do.
  Ended ByDrain() && { return By(internal::Urging::kDrain); }
  Ended ByKill() && { return By(internal::Urging::kKill); }

  // Gives up after `timeout`; zero and less: at once. By default only the
  // deadline of the request that is handled counts.
  Ended Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return *this;
  }

  internal::EndWait operator co_await() const {
    return internal::EndWait(actor_, timeout_, by_);
  }

 private:
  Ended& By(internal::Urging by) {
    by_ = by;
    return *this;
  }

  AnyActorRef actor_;
  absl::Duration timeout_ = absl::InfiniteDuration();
  internal::Urging by_ = internal::Urging::kNone;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ENDED_H_
