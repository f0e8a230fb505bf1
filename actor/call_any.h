// CallAny() asks several actors the same, at once, and takes the first good
// answer.
//
//   std::vector<ActorRef<StoreApi>> replicas = ...;
//   absl::StatusOr<Row> row =
//       co_await CallAny<Read>(replicas, key).Within(absl::Milliseconds(100));
//
// It yields the first outcome that is OK; the other calls are cancelled then:
// who works on one is told to give up. If none is OK it yields a failure, when
// the last one has failed or the deadline has passed: with the code of the last
// to fail, how many there were, and what the first and the last to fail said.
// Delivery() of it is kNotDelivered if none was delivered, kUnknown if any may
// have run, else kAnswered. Of no actors it is kNotFound.
//
// The references, and what messages are built from, are those of CallAll().
//
// Order, deadline, cancellation, ownership, blocking, thread safety, memory: as
// of CallAll(), see call_all.h.
#ifndef TROUPE_ACTOR_CALL_ANY_H_
#define TROUPE_ACTOR_CALL_ANY_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/call_group.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/reply_of.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {

namespace internal {

// Of a reply to a call of M.
template <typename M>
absl::Status StatusOfReply(Envelope& reply) {
  return (reply.tag & kFailureTag) != 0 ? reply.As<absl::Status>()
                                        : StatusIn(reply.As<OutcomeOf<M>>());
}
template <typename M>
bool IsGoodReply(Envelope& reply) {
  return (reply.tag & kFailureTag) == 0 && reply.As<OutcomeOf<M>>().ok();
}

template <typename M>
OutcomeOf<M> FirstOutcomeIn(CallGroup& group) {
  if (group.enough != nullptr) [[likely]] {
    return OutcomeIn<OutcomeOf<M>>(std::move(group.enough->envelope()));
  }
  return NoneAnswered(group, &StatusOfReply<M>);
}

template <typename M>
class AnyCallAwaiter final : public CallGroupWait {
 public:
  explicit AnyCallAwaiter(CallGroup& group)
      : CallGroupWait(group), group_(group) {}
  OutcomeOf<M> await_resume() { return FirstOutcomeIn<M>(group_); }

 private:
  CallGroup& group_;
};

}  // namespace internal

// What CallAny() returns: nothing is called until it is awaited, once.
template <RequestType M>
class [[nodiscard]] AnyCall {
 public:
  using Outcome = OutcomeOf<M>;

  // As Call::Within(), for all together.
  AnyCall Within(absl::Duration timeout) && {
    group_.timeout = internal::CallTimeout(timeout);
    return std::move(*this);
  }

  // In a Task of an actor. This must live as long as the wait.
  internal::AnyCallAwaiter<M> operator co_await() && {
    return internal::AnyCallAwaiter<M>(group_);
  }

  // On a plain thread.
  Outcome Wait() && {
    internal::CallGroupAndBlock(group_);
    return internal::FirstOutcomeIn<M>(group_);
  }

  // For CallAny().
  explicit AnyCall(internal::CallGroup group) : group_(std::move(group)) {
    group_.is_enough = &internal::IsGoodReply<M>;
  }

 private:
  internal::CallGroup group_;
};

template <RequestType M, typename Refs, typename... Args>
AnyCall<M> CallAny(Refs&& refs, Args&&... args) {
  return AnyCall<M>(internal::MakeCallGroup<M>(std::forward<Refs>(refs),
                                               std::forward<Args>(args)...));
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_CALL_ANY_H_
