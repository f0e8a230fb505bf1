// A BlockingMailbox connects plain threads: any number of them send, one
// receives, and both can wait. It knows no actor and needs no scheduler. It has
// two lanes: the normal one, which may be bounded (mailbox/capacity.h), and an
// urgent one, which is not.
//
// Order: urgent messages come before all others. Within a lane the messages of
// one sender come in the order sent. Senders that wait for space are served
// first come, first served.
// Ownership: the mailbox owns what it took, until that is received, dropped, or
// handed back by Close(); what is left in the end is destroyed with it. A
// sender may end while its messages are under way.
// Blocking: Receive() waits for messages, SendWithDeadline() for space; nothing
// else waits. Deadlines are points of the mailbox's clock; the waits between
// two looks at it take real time.
// Thread safety: Send...(), Shut() and Close() from any thread. Receive() and
// TryReceive() belong to the receiver: one thread at a time.
// Memory ordering: what a sender did before it sent is visible to the receiver
// of the message. What happened before Shut() or Close() is visible to whoever
// is refused for it.
// Errors: a status says which message, which limit, and what can be done. What
// a message's constructor throws reaches the sender, and nothing was sent.
//
//   State  | Send...()           | Receive()                 | Shut() | Close()
//   -------+---------------------+---------------------------+--------+--------
//   Open   | Open                | oldest, or waits          | Shut   | Closed
//   Shut   | kFailedPrecondition | oldest, or as when closed | Shut   | Closed
//   Closed | kFailedPrecondition | kFailedPrecondition       | Closed | Closed
//
// Example:
//
//   BlockingMailbox mailbox({.capacity = {.messages = 100}});
//   ...
//   absl::Status sent = mailbox.SendWithDeadline<Job>(deadline, 7);  // Job(7)
//   ...
//   absl::StatusOr<EnvelopePtr> received = mailbox.Receive(deadline);
//   if (!received.ok()) return received.status();
//   if (Job* job = (*received)->TryAs<Job>()) Run(*job);
#ifndef TROUPE_MAILBOX_BLOCKING_MAILBOX_H_
#define TROUPE_MAILBOX_BLOCKING_MAILBOX_H_

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/clock.h"
#include "troupe/base/cond_var.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {

struct BlockingMailboxOptions {
  // Of the normal lane. REQUIRES: Validate(capacity).ok().
  Capacity capacity = {};
  // Gets what kDropNewest and kDropOldest drop, on the thread whose send
  // dropped it, perhaps on several at once. Holds no lock of the mailbox: it
  // may send. Null: what is dropped is destroyed.
  absl::AnyInvocable<void(EnvelopePtr) const> on_dropped = nullptr;
  // Must outlive the mailbox.
  const Clock* clock = &RealClock();
};

class BlockingMailbox {
 public:
  // Open.
  explicit BlockingMailbox(BlockingMailboxOptions options = {});
  BlockingMailbox(const BlockingMailbox&) = delete;
  BlockingMailbox& operator=(const BlockingMailbox&) = delete;
  // REQUIRES: no other call is in progress.
  ~BlockingMailbox();

  // -- any thread ------------------------------------------------------------

  // Sends M(args...), built in place, in the normal lane, without waiting. A
  // message that the policy drops counts as sent.
  //
  // kResourceExhausted: there is no space, and the policy is kReject or kAwait.
  // kInvalidArgument: the message is larger than Capacity::bytes allows.
  // kFailedPrecondition: the mailbox is shut or closed.
  template <typename M, typename... Args>
  absl::Status Send(Args&&... args) {
    return Send(Make<M>(std::forward<Args>(args)...));
  }

  // As Send(); where the policy is kAwait, waits for space until `deadline`.
  //
  // kDeadlineExceeded: there was none until then.
  template <typename M, typename... Args>
  absl::Status SendWithDeadline(MonotonicTime deadline, Args&&... args) {
    return SendWithDeadline(deadline, Make<M>(std::forward<Args>(args)...));
  }

  // Sends M(args...) in the urgent lane, which is always taken.
  //
  // kFailedPrecondition: the mailbox is shut or closed.
  template <typename M, typename... Args>
  absl::Status SendUrgent(Args&&... args) {
    return SendUrgent(Make<M>(std::forward<Args>(args)...));
  }

  // The same for messages that are in an envelope already. One that is refused
  // stays with the caller. REQUIRES: `envelope` is not null.
  absl::Status Send(EnvelopePtr&& envelope);
  absl::Status SendWithDeadline(MonotonicTime deadline, EnvelopePtr&& envelope);
  absl::Status SendUrgent(EnvelopePtr&& envelope) ABSL_LOCKS_EXCLUDED(mu_);

  // Takes nothing more, and tells those that wait for space. What was taken can
  // still be received.
  void Shut() ABSL_LOCKS_EXCLUDED(mu_);

  // Shuts the mailbox, and hands back what was in it, urgent messages first.
  EnvelopeList Close() ABSL_LOCKS_EXCLUDED(mu_);

  // -- receiver only ---------------------------------------------------------

  // The next message. Waits for it until `deadline`; with one that has passed
  // it only looks.
  //
  // kDeadlineExceeded: none came until then.
  // kFailedPrecondition: none will come: the mailbox is closed, or it is shut
  // and all that it took was received.
  absl::StatusOr<EnvelopePtr> Receive(MonotonicTime deadline)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The next message; null if there is none now.
  EnvelopePtr TryReceive() ABSL_LOCKS_EXCLUDED(mu_);

 private:
  template <typename M, typename... Args>
  static EnvelopePtr Make(Args&&... args) {
    return EnvelopePtr(MakeEnvelope<M>(std::forward<Args>(args)...));
  }

  // Does what an attempt to enter the normal lane ended in asks for.
  absl::Status Finish(Admission admission, bool waited, EnvelopePtr& envelope,
                      EnvelopeList dropped) ABSL_LOCKS_EXCLUDED(mu_);
  void Wake() ABSL_LOCKS_EXCLUDED(mu_);
  absl::Status FullError(bool waited, const Envelope& envelope) const;
  EnvelopePtr Pop() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ShutLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const BlockingMailboxOptions options_;

  // The normal lane. Has a lock of its own, so that senders meet the receiver
  // only there; its receiver is whoever holds mu_, which is taken first.
  BoundedQueue queue_;

  // The receiver looks into both lanes and begins to wait under one hold of
  // mu_. So whoever adds something and then signals under mu_ is not missed.
  absl::Mutex mu_;
  CondVar arrived_;
  EnvelopeList urgent_ ABSL_GUARDED_BY(mu_);
  bool shut_ ABSL_GUARDED_BY(mu_) = false;
  bool receiver_waits_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace troupe

#endif  // TROUPE_MAILBOX_BLOCKING_MAILBOX_H_
