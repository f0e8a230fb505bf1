// CallAll() asks several actors the same, at once, and waits for all answers.
//
//   std::vector<ActorRef<ShopApi>> shops = ...;
//   std::vector<absl::StatusOr<int64_t>> cents =
//       co_await CallAll<Price>(shops, item).Within(absl::Milliseconds(100));
//
// It yields one outcome for each actor, in the order of the references: what a
// Call of that one would have yielded. None of them ends or changes another. Of
// no actors it yields none, at once.
//
// The references are a range of ActorRefs that take the message: a vector, a
// span, ... For each a message M(args...) is built, from the same arguments,
// when CallAll() is called; so they must be copyable where M keeps them.
//
// Order: made in the order of the references.
// Deadline, cancellation, ownership, blocking, errors: as of a Call, see
// call.h; one deadline for all. Dropping the coroutine that waits cancels those
// that have not been answered. On a plain thread all actors must be of one
// system; those of another yield kFailedPrecondition.
// Memory: two vectors, and for each actor what a call takes; no coroutines.
// Thread safety: none; it may be moved to the thread that awaits it.
#ifndef TROUPE_ACTOR_CALL_ALL_H_
#define TROUPE_ACTOR_CALL_ALL_H_

#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/internal/call_group.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/reply_of.h"

namespace troupe {

namespace internal {

template <typename M>
std::vector<OutcomeOf<M>> OutcomesIn(CallGroup& group) {
  std::vector<OutcomeOf<M>> outcomes;
  outcomes.reserve(group.calls.size());
  for (GroupedCall& call : group.calls) {
    outcomes.push_back(OutcomeIn<OutcomeOf<M>>(std::move(call.envelope())));
  }
  return outcomes;
}

template <typename M>
class AllCallsAwaiter final : public CallGroupWait {
 public:
  explicit AllCallsAwaiter(CallGroup& group)
      : CallGroupWait(group), group_(group) {}
  std::vector<OutcomeOf<M>> await_resume() { return OutcomesIn<M>(group_); }

 private:
  CallGroup& group_;
};

}  // namespace internal

// What CallAll() returns: nothing is called until it is awaited, once.
template <RequestType M>
class [[nodiscard]] AllCalls {
 public:
  using Outcomes = std::vector<OutcomeOf<M>>;

  // As Call::Within().
  AllCalls Within(absl::Duration timeout) && {
    group_.timeout = internal::CallTimeout(timeout);
    return std::move(*this);
  }

  // In a Task of an actor. This must live as long as the wait.
  internal::AllCallsAwaiter<M> operator co_await() && {
    return internal::AllCallsAwaiter<M>(group_);
  }

  // On a plain thread.
  Outcomes Wait() && {
    internal::CallGroupAndBlock(group_);
    return internal::OutcomesIn<M>(group_);
  }

  // For CallAll().
  explicit AllCalls(internal::CallGroup group) : group_(std::move(group)) {}

 private:
  internal::CallGroup group_;
};

template <RequestType M, typename Refs, typename... Args>
AllCalls<M> CallAll(Refs&& refs, Args&&... args) {
  return AllCalls<M>(internal::MakeCallGroup<M>(std::forward<Refs>(refs),
                                                std::forward<Args>(args)...));
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_CALL_ALL_H_
