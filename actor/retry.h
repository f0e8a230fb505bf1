// Call().Retry() repeats a call whose request did not get through.
//
//   absl::Status sent =
//       co_await printer.Call<Print>(page).Retry({.attempts = 5});
//
//   absl::StatusOr<Row> row =
//       store.Call<Read>(key)
//           .Within(absl::Seconds(1))
//           .Retry({.attempt_timeout = absl::Milliseconds(100),
//                   .also_unknown = true})  // To read twice does no harm.
//           .Wait();
//
// It yields what the last attempt yielded. If that was not delivered, but an
// earlier one may have run, Delivery() of it is kUnknown.
//
// What is repeated: failures that Delivery() says were not delivered, and with
// `also_unknown` those of which it does not know; not where repeating is in
// vain, because the actor has ended (kNotFound, kAborted), the caller calls
// itself or waits in a cycle (kFailedPrecondition), or was told to give up
// itself. `when` decides otherwise, of answers of the handler too.
//
// Order: one attempt after the other; between them other calls and messages of
// the caller may overtake.
// Deadline: that of the call is for all attempts and the pauses between them;
// no pause is begun that would not end before it.
// Ownership: each attempt but the last has a copy of the message, which must be
// copyable.
// Cancellation, Blocking, Thread safety: as of a Call, see call.h. The pauses
// are sleeps of the coroutine; a plain thread blocks.
// Randomness: the executor's; a DeterministicExecutor replays it.
// Memory: the frame of a coroutine. Calls without Retry() cost nothing more.
#ifndef TROUPE_ACTOR_RETRY_H_
#define TROUPE_ACTOR_RETRY_H_

#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/call.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/retry_loop.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/retry_options.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {

namespace internal {

// The plan of the next attempt: with a copy of the request, or the request.
template <typename M>
CallPlan PlanAttempt(RetryLoop& loop, CallPlan& plan) {
  CallPlan attempt{.target = plan.target,
                   .id = plan.id,
                   .request = nullptr,
                   .timeout = loop.BeginAttempt()};
  attempt.request =
      loop.IsLast()
          ? std::move(plan.request)
          : EnvelopePtr(BuildCalled<M>(std::as_const(plan.request->As<M>())));
  return attempt;
}

// What all attempts together yield, if the last one yielded `outcome`.
template <typename Outcome>
Outcome OutcomeOfAll(const RetryLoop& loop, Outcome outcome) {
  if (outcome.ok()) return outcome;
  return loop.FailureOfAll(StatusIn(outcome));
}

template <typename M>
Task<OutcomeOf<M>> CallWithRetries(CallPlan plan, RetryOptions options) {
  RetryLoop loop(options, plan);
  while (true) {
    Call<M> attempt(PlanAttempt<M>(loop, plan));
    OutcomeOf<M> outcome = co_await std::move(attempt);
    const std::optional<absl::Duration> pause =
        loop.PauseAfter(StatusIn(outcome));
    if (!pause.has_value()) co_return OutcomeOfAll(loop, std::move(outcome));
    const bool slept = co_await Sleep(*pause);
    if (!slept) co_return OutcomeOfAll(loop, std::move(outcome));
  }
}

template <typename M>
OutcomeOf<M> CallWithRetriesAndBlock(CallPlan plan, RetryOptions options) {
  RetryLoop loop(options, plan);
  while (true) {
    OutcomeOf<M> outcome = Call<M>(PlanAttempt<M>(loop, plan)).Wait();
    const std::optional<absl::Duration> pause =
        loop.PauseAfter(StatusIn(outcome));
    if (!pause.has_value()) return OutcomeOfAll(loop, std::move(outcome));
    loop.Block(*pause);
  }
}

}  // namespace internal

// What Call().Retry() returns: nothing is called until it is awaited, once.
template <RequestType M>
class [[nodiscard]] RetriedCall {
 public:
  using Outcome = OutcomeOf<M>;

  // For all attempts together, as Call::Within().
  RetriedCall Within(absl::Duration timeout) && {
    plan_.timeout = internal::CallTimeout(timeout);
    return std::move(*this);
  }

  // In a Task of an actor.
  internal::TaskAwaiter<Outcome> operator co_await() && {
    return internal::CallWithRetries<M>(std::move(plan_), options_)
        .
        operator co_await();
  }

  // On a plain thread.
  Outcome Wait() && {
    return internal::CallWithRetriesAndBlock<M>(std::move(plan_), options_);
  }

  // For Call::Retry().
  RetriedCall(internal::CallPlan plan, const RetryOptions& options)
      : plan_(std::move(plan)), options_(options) {}

 private:
  internal::CallPlan plan_;
  RetryOptions options_;
};

template <RequestType M>
RetriedCall<M> Call<M>::Retry(RetryOptions options) && {
  static_assert(std::is_copy_constructible_v<M>,
                "a call that is repeated copies its message: this one cannot "
                "be copied");
  return RetriedCall<M>(std::move(plan_), options);
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_RETRY_H_
