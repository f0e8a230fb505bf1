// Waits in a Task for the end of another actor:
//
//   child.Drain();
//   absl::StatusOr<ExitReason> why =
//       co_await Ended(child).Within(absl::Seconds(1));
//
// Yields the reason; at once and kNoActor if it had ended before. The end does
// not depend on who waits: giving up changes nothing for it.
//
// For a step of one's own work. It is no supervision: nothing says what became
// of an actor before anybody asked. A parent hears of its children by
// OnChild().
//
// Order: the actor has no status but kStopped, its name is free, and its parent
// has been told, if not yet heard.
// Cancellation: as of a call, see call.h.
// Blocking: no call blocks. A plain thread uses AnyActorRef::Wait().
//
// kDeadlineExceeded: it has not ended in time. kCancelled: the request that is
// handled was given up. kFailedPrecondition: awaited outside of an actor, or by
// the actor itself.
#ifndef TROUPE_ACTOR_ENDED_H_
#define TROUPE_ACTOR_ENDED_H_

#include <coroutine>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/answer_wait.h"

namespace troupe {

namespace internal {

class EndWait final : public AnswerWait {
 public:
  EndWait(AnyActorRef actor, absl::Duration timeout)
      : AnswerWait(timeout), actor_(actor) {}
  ~EndWait() { Drop(); }

  bool await_suspend(std::coroutine_handle<> waiting);
  absl::StatusOr<ExitReason> await_resume();

 private:
  std::string What() const override;
  void OnGiveUp() override;

  const AnyActorRef actor_;
};

}  // namespace internal

class [[nodiscard]] Ended {
 public:
  explicit Ended(const AnyActorRef& actor) : actor_(actor) {}

  // Gives up after `timeout`; zero and less: at once. By default only the
  // deadline of the request that is handled counts.
  Ended Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return *this;
  }

  internal::EndWait operator co_await() const {
    return internal::EndWait(actor_, timeout_);
  }

 private:
  AnyActorRef actor_;
  absl::Duration timeout_ = absl::InfiniteDuration();
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ENDED_H_
