// A PendingSend is a message on its way to an actor whose mailbox may be full:
// what ActorRef::SendWhenReady() returns. It does nothing until it is waited
// for.
//
//   absl::Status sent = co_await printer.SendWhenReady<Page>(text);  // A Task.
//   absl::Status sent =
//       printer.SendWhenReady<Page>(text).Within(absl::Seconds(1)).Wait();
//
// Order: senders that wait for the same mailbox are served first come, first
// served, and before all that comes later.
// Ownership: it holds the message. One that is dropped, or that could not be
// sent, destroys it; the sender has been told, so it is no dead letter.
// Cancellation: destroying the coroutine that waits, or its actor, leaves the
// line.
// Blocking: Wait() blocks a plain thread; on an executor without threads it
// plays steps.
// Thread safety: none; it may be waited for on another thread than the one that
// made it.
//
// Errors:
//   kNotFound            there is no such actor any more
//   kAborted             it takes no more messages; also if it stopped or
//                        drained meanwhile
//   kResourceExhausted   its policy for a full mailbox is not to wait, or the
//                        message is larger than the mailbox
//   kDeadlineExceeded    there was no space in time
//   kCancelled           the request that is handled was given up
//   kFailedPrecondition  Wait() in a handler, which must not block; co_await
//                        outside of an actor, or for its own full mailbox
#ifndef TROUPE_ACTOR_PENDING_SEND_H_
#define TROUPE_ACTOR_PENDING_SEND_H_

#include <coroutine>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/answer_wait.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/message_type.h"

namespace troupe {

namespace internal {

class SendWait final : public AnswerWait, private BoundedQueue::Waiter {
 public:
  SendWait(AnyActorRef target, EnvelopePtr envelope, absl::Duration timeout)
      : AnswerWait(timeout),
        target_(target),
        type_(*envelope->type),
        envelope_(std::move(envelope)) {}
  ~SendWait() { Drop(); }

  bool await_suspend(std::coroutine_handle<> waiting);
  absl::Status await_resume();

 private:
  std::string What() const override;
  void OnGiveUp() override;
  void OnAdmission(Admission admission) override;

  const AnyActorRef target_;
  const MessageType& type_;
  EnvelopePtr envelope_;  // The queue's, once that has admitted it.
  SendResult result_ = SendResult::kSent;
  BoundedQueue* queue_ = nullptr;
  // Guarded by the queue's lock while this waits there.
  OwedAnswer<Admission> answer_;
  Admission admission_ = Admission::kWaiting;
};

}  // namespace internal

class [[nodiscard]] PendingSend {
 public:
  // How long a wait for space lasts, unless it is told otherwise; in a handler
  // no longer than the deadline of its request.
  static constexpr absl::Duration kDefaultTimeout = absl::Seconds(5);

  PendingSend(AnyActorRef target, EnvelopePtr envelope)
      : target_(target), envelope_(std::move(envelope)) {}

  PendingSend&& Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return std::move(*this);
  }

  // In a Task of an actor: sends the message, after waiting for space if need
  // be.
  internal::SendWait operator co_await() && {
    return internal::SendWait(target_, std::move(envelope_), timeout_);
  }

  // On a plain thread: the same.
  absl::Status Wait() &&;

 private:
  AnyActorRef target_;
  EnvelopePtr envelope_;
  absl::Duration timeout_ = kDefaultTimeout;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_PENDING_SEND_H_
