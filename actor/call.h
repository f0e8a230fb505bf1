// A Call is a request to an actor that has not been made yet: what
// ActorRef::Call() returns. It is made when it is awaited:
//
//   absl::Status paid = co_await account.Call<Withdraw>(100);     // in a Task
//   absl::StatusOr<int64_t> balance = account.Call<Balance>().Wait();
//   absl::Status quick =
//       co_await account.Call<Withdraw>(100).Within(absl::Milliseconds(5));
//
// It yields the request's Reply as OutcomeOf<M> says: absl::Status, or
// absl::StatusOr of it.
//
// A handler that need not see the answer has it sent on; no coroutine waits:
//
//   shop.Call<Price>(item).Forward<Priced>(view);   // Priced(outcome)
//   shop.Call<Price>(item).Forward(
//       view, [item](absl::StatusOr<int64_t> cents) {
//         return Priced(item, cents.value_or(0));
//       });
//
// Order: as a message of the caller. What the callee sent to the caller before
// it answered may be handled later than the answer: it waits in the mailbox.
// Deadline: ActorSystem::Options::call_timeout, by default 5 s, or what
// Within() says; in the handler of a request never later than its deadline. It
// goes with the request: the callee reads it, is bounded by it in its own
// calls, and never sees a request whose deadline has passed. The time is taken
// from the worker's clock, which is at most 1 ms old.
// Cancellation: destroying the coroutine that awaits, or its actor, cancels the
// call: the callee's StopToken fires.
// Ownership: it holds the request, and destroys it if it is dropped.
// Blocking: Wait() blocks a plain thread; on an executor without threads it
// plays steps.
// Thread safety: none; it may be moved to the thread that awaits it.
//
// Errors, besides the callee's own status, which comes unchanged; whether the
// handler can have run is told by Delivery(status):
//   kNotFound            the actor had ended already
//   kAborted             it ended before it answered, and why
//   kCancelled           its handler dropped the request unanswered; or the
//                        caller was told to give up
//   kDeadlineExceeded    no answer in time
//   kResourceExhausted   its bounded mailbox, or the way to its node, is full
//   kUnavailable         there is no connection with its node, or none any more
//   kPermissionDenied    its node does not let this one ask
//   kFailedPrecondition  an actor calls itself; Wait() in a handler; co_await
//                        outside of an actor
#ifndef TROUPE_ACTOR_CALL_H_
#define TROUPE_ACTOR_CALL_H_

#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/forwarded_call.h"
#include "troupe/actor/internal/started_call.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/retry_options.h"

namespace troupe {

template <typename... Ps>
class ActorRef;
template <RequestType M>
class RetriedCall;

namespace internal {

template <typename M>
class CallAwaiter final : public CallWait {
 public:
  explicit CallAwaiter(CallPlan& plan) : CallWait(plan) {}
  // False: the call is over already.
  bool await_suspend(std::coroutine_handle<> waiting) {
    return Suspend(waiting, InfoOf<M>(request()));
  }
  OutcomeOf<M> await_resume() {
    return OutcomeIn<M, OutcomeOf<M>>(TakeReply());
  }

 private:
  const MessageType* request_type() const override { return &kMessageType<M>; }
};

template <typename Outcome>
class StartedCallAwaiter : public StartedCallWait {
 public:
  using StartedCallWait::StartedCallWait;
  Outcome await_resume() { return OutcomeIn<Outcome>(TakeReply()); }
};

}  // namespace internal

// A call under way. Dropped, it is cancelled; what an actor started is awaited
// and dropped by that actor.
//
//   StartedCall<Price> price = shop.Call<Price>(item).Start();
//   ...
//   absl::StatusOr<int64_t> cents = co_await std::move(price);
template <RequestType M>
class [[nodiscard]] StartedCall {
 public:
  using Outcome = OutcomeOf<M>;

  explicit StartedCall(internal::CallPlan plan) : call_(std::move(plan)) {}
  StartedCall(StartedCall&&) noexcept = default;
  StartedCall& operator=(StartedCall&&) noexcept = default;

  // Whether waiting for it would not take long: the answer is there, or none
  // will come.
  bool is_over() const { return call_.is_over(); }

  // In a Task of the actor that started it: waits for the answer. The deadline
  // is that of the start, or of the request that is handled now.
  internal::StartedCallAwaiter<Outcome> operator co_await() && {
    return internal::StartedCallAwaiter<Outcome>(std::move(call_));
  }
  // On a plain thread, for what plain threads started.
  Outcome Wait() && { return internal::OutcomeIn<Outcome>(call_.Await()); }

 private:
  internal::CallUnderWay call_;
};

template <RequestType M>
class [[nodiscard]] Call {
 public:
  using Outcome = OutcomeOf<M>;

  explicit Call(internal::CallPlan plan) : plan_(std::move(plan)) {}

  // Gives up after `timeout`. Zero and less: at once. Infinite: never, unless
  // the caller's own deadline passes.
  Call Within(absl::Duration timeout) && {
    plan_.timeout = internal::CallTimeout(timeout);
    return std::move(*this);
  }

  // Repeats it if it did not get through: see retry.h, which defines this.
  RetriedCall<M> Retry(RetryOptions options) &&;

  // In a Task of an actor: makes the call, and waits for the answer. The Call
  // must live as long.
  internal::CallAwaiter<M> operator co_await() && {
    return internal::CallAwaiter<M>(plan_);
  }

  // Makes the call now, to be awaited later.
  StartedCall<M> Start() && { return StartedCall<M>(std::move(plan_)); }

  // In an actor: makes the call now, and sends N(outcome) to `to` once there is
  // an outcome, whatever it is: an answer, a timeout, any other error. As a
  // message of this actor; nothing waits for it, so an actor may call itself.
  // It does not end with the handler but with the actor, which cancels it: then
  // nothing is sent. What N's constructor throws fails the actor.
  template <typename N, typename... Ps>
  void Forward(const ActorRef<Ps...>& to) && {
    static_assert(std::is_constructible_v<N, Outcome>,
                  "what is forwarded is built from all that a call yields: its "
                  "absl::Status, or absl::StatusOr of the reply");
    internal::ForwardCall<Outcome>(std::move(plan_), [to](Outcome outcome) {
      to.template Send<N>(std::move(outcome));
    });
  }
  // The same with the message that `convert(outcome)` returns.
  template <typename... Ps, typename F>
  void Forward(const ActorRef<Ps...>& to, F convert) && {
    static_assert(std::is_invocable_v<F&, Outcome>,
                  "a conversion takes all that a call yields: its "
                  "absl::Status, or absl::StatusOr of the reply");
    internal::ForwardCall<Outcome>(
        std::move(plan_),
        [to, convert = std::move(convert)](Outcome outcome) mutable {
          to.Send(convert(std::move(outcome)));
        });
  }

  // On a plain thread: makes the call, and waits for the answer.
  Outcome Wait() && {
    return internal::OutcomeIn<M, Outcome>(
        internal::CallAndBlock(std::move(plan_)));
  }

 private:
  internal::CallPlan plan_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_CALL_H_
