// A Completion is an answer that comes from outside of all actors: from the
// callback of a library, a thread of one's own, an event loop. Its Completer
// goes there.
//
//   Task<absl::StatusOr<Row>> Handle(Query query) {
//     auto [completer, row] = MakeCompletion<Row>();
//     database_.Find(query.key, std::move(completer));  // On any thread, once:
//     co_return co_await std::move(row);                // Complete(found).
//   }
//
// T is what the Completer is given, or void. What the Completion yields is
// absl::StatusOr<T>; absl::Status for void and absl::Status; T itself if that
// is an absl::StatusOr.
//
// Order: either may come first: to complete, or to await.
// Ownership: move-only, both. A Completer that is dropped completes with
// kCancelled. A Completion that is dropped is abandoned: what it would have
// yielded is destroyed, and the Completer can tell.
// Blocking: no call blocks.
// Cancellation: as of a call, see call.h: destroying the coroutine that awaits,
// or its actor, abandons the Completion; so does its deadline.
// Thread safety: values; a Completer may be used on any thread, a Completion be
// awaited in a Task of any actor. Both may outlive the system.
// Memory ordering: what happened before Complete() is visible to who awaits.
//
// Errors of an await, besides what the Completer says:
//   kCancelled           the Completer was dropped; or the request that is
//                        handled was given up
//   kDeadlineExceeded    not completed in time
//   kFailedPrecondition  awaited outside of an actor
#ifndef TROUPE_ACTOR_COMPLETION_H_
#define TROUPE_ACTOR_COMPLETION_H_

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/completion_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/reply_of.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe {

template <typename T>
class [[nodiscard]] Completer {
 public:
  using Outcome = typename internal::OutcomeOfReply<T>::type;

  // Completes nothing.
  Completer() = default;
  Completer(Completer&&) noexcept = default;
  Completer& operator=(Completer&& other) noexcept {
    Completer taken(std::move(other));
    state_.swap(taken.state_);
    return *this;
  }
  ~Completer() { Drop(); }

  // Completes: with a T, nothing if T is void, or a Status that is not OK.
  // False: that had happened already, or nobody waits any more. If it throws (a
  // copy or move of the outcome, or std::bad_alloc), nothing was completed.
  template <typename U = T>
  bool Complete(U&& outcome) {
    static_assert(std::is_constructible_v<Outcome, U&&>,
                  "this completes nothing: give what it is a Completer of, or "
                  "a Status that is not OK");
    if (state_ == nullptr) return false;
    // First: what throws here leaves this as it is.
    EnvelopePtr reply(internal::MakeReply(Outcome(std::forward<U>(outcome))));
    return std::exchange(state_, nullptr)->Complete(std::move(reply));
  }
  bool Complete() requires(std::is_void_v<T>) {
    return Complete(absl::OkStatus());
  }

  // Whether it can still be of use: nothing was completed, and somebody waits,
  // or may yet. A look; only false is for ever.
  bool is_wanted() const { return state_ != nullptr && !state_->abandoned(); }

  // For the runtime.
  explicit Completer(std::shared_ptr<internal::CompletionState> state)
      : state_(std::move(state)) {}

 private:
  void Drop() {
    if (state_ != nullptr) state_->Drop();
  }

  std::shared_ptr<internal::CompletionState> state_;
};

namespace internal {

template <typename Outcome>
class CompletionAwaiter final : public CompletionWait {
 public:
  using CompletionWait::CompletionWait;
  Outcome await_resume() { return OutcomeIn<Outcome>(TakeReply()); }
};

}  // namespace internal

template <typename T>
class [[nodiscard]] Completion {
 public:
  using Outcome = typename internal::OutcomeOfReply<T>::type;

  // Gives up after `timeout`. What is there is had whatever the time. By
  // default only the deadline of the request that is handled counts.
  Completion Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return std::move(*this);
  }

  // In a Task of an actor: waits. Once: `co_await std::move(completion)`.
  internal::CompletionAwaiter<Outcome> operator co_await() && {
    return internal::CompletionAwaiter<Outcome>(std::move(handle_), timeout_,
                                                internal::TypeName<T>());
  }

  // For the runtime.
  explicit Completion(std::shared_ptr<internal::CompletionState> state)
      : handle_(std::move(state)) {}

 private:
  internal::CompletionHandle handle_;
  absl::Duration timeout_ = absl::InfiniteDuration();
};

template <typename T>
struct CompletionPair {
  Completer<T> completer;
  Completion<T> completion;
};

template <typename T>
[[nodiscard]] CompletionPair<T> MakeCompletion() {
  auto state = std::make_shared<internal::CompletionState>();
  Completer<T> completer(state);
  return {std::move(completer), Completion<T>(std::move(state))};
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_COMPLETION_H_
