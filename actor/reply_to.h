// ReplyTo<T> is the duty to answer a request, for a handler that cannot answer
// at once: it keeps the duty, or hands it to another actor in a message.
//
//   void Handle(Lookup m, troupe::ReplyTo<Address> reply) {
//     waiting_.push_back(std::move(reply));
//   }
//   void Handle(const Loaded& loaded) {
//     for (auto& reply : waiting_) reply.Send(loaded.address);
//     waiting_.clear();
//   }
//
// T is the request's Reply. Dropped unanswered, it cancels the call: the caller
// gets kCancelled.
//
// Cancellation: the handler that was given the duty is told that its caller has
// given up as any other is: if it is a Task, what it awaits ends early,
// wherever the duty is by then. Who else holds it is not told; its answer is
// dropped.
// Ownership: move-only; of the duty. The answer is moved.
// Blocking: no call blocks.
// Thread safety: a value; may be used on any thread, also outside of actors.
#ifndef TROUPE_ACTOR_REPLY_TO_H_
#define TROUPE_ACTOR_REPLY_TO_H_

#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/reply_of.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe {

namespace internal {

// What a ReplyTo is apart from its type.
class ReplyDuty {
 public:
  ReplyDuty() = default;
  // Takes the duty out of a request that a handler gets.
  ReplyDuty(RequestInfo& info, CallName call)
      : route_(info.TakeDuty()), deadline_(info.deadline), call_(call) {}
  ReplyDuty(ReplyDuty&& other) noexcept
      : route_(std::exchange(other.route_, ReplyRoute())),
        deadline_(other.deadline_),
        call_(other.call_) {}
  ReplyDuty& operator=(ReplyDuty&& other) noexcept {
    if (this == &other) return *this;
    Drop();
    route_ = std::exchange(other.route_, ReplyRoute());
    deadline_ = other.deadline_;
    call_ = other.call_;
    return *this;
  }
  ~ReplyDuty() { Drop(); }

  bool pending() const { return !route_.IsNull(); }
  MonotonicTime deadline() const { return deadline_; }

  // Puts it behind a request that a handler is to get again.
  void MoveTo(RequestInfo& info) {
    info.route = std::exchange(route_, ReplyRoute());
    info.deadline = deadline_;
  }

  // False: there is no duty, or none any more.
  bool Answer(Envelope* reply) {
    SendReply(std::exchange(route_, ReplyRoute()), reply);
    return true;
  }

 private:
  void Drop() {
    if (pending()) Answer(MakeFailure(CallDropped(call_)));
  }

  ReplyRoute route_;
  MonotonicTime deadline_ = MonotonicTime::InfiniteFuture();
  CallName call_ = {};
};

}  // namespace internal

template <typename T>
class [[nodiscard]] ReplyTo {
 public:
  using Outcome = typename internal::OutcomeOfReply<T>::type;

  // No duty: for a request that nobody waits for.
  ReplyTo() = default;

  // Whether an answer is owed. False for a request that was sent, not called.
  bool pending() const { return duty_.pending(); }
  // When the caller stops waiting, by the clock of the system's executor.
  MonotonicTime deadline() const { return duty_.deadline(); }

  // Answers, as a handler that returns this would: a T, nothing if T is void,
  // or a Status that is not OK. False: nothing is owed (any more). An answer
  // that comes too late is dropped where it arrives.
  template <typename U = T>
  bool Send(U&& answer) {
    static_assert(std::is_constructible_v<Outcome, U&&>,
                  "this is no answer to the request: its Reply, or a Status "
                  "that is not OK");
    if (!pending()) return false;
    Outcome outcome(std::forward<U>(answer));
    if (!outcome.ok()) internal::MarkAnswered(outcome);
    return duty_.Answer(internal::MakeReply(std::move(outcome)));
  }
  bool Send() requires(std::is_void_v<T>) { return Send(absl::OkStatus()); }

  // For the runtime.
  explicit ReplyTo(internal::ReplyDuty duty) : duty_(std::move(duty)) {}
  internal::ReplyDuty& duty() { return duty_; }

 private:
  internal::ReplyDuty duty_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_REPLY_TO_H_
