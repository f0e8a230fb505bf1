// A BoundedQueue is the normal lane of one receiver with a limit on messages
// and on bytes: between any number of senders, under a lock. An actor whose
// mailbox is bounded has one beside its Mailbox, and threads without actors use
// it through mailbox/blocking_mailbox.h. Signals, events and urgent messages
// are never bounded: they do not come here.
//
// Order: envelopes of one sender come out in the order in which they were
// pushed. Senders that wait for space are served first come, first served;
// nobody overtakes them, not even with an envelope that would fit.
// Ownership: the queue owns what it took. What it did not take stays the
// caller's, and what it drops is handed to the caller.
// Blocking: only PushWithDeadline() waits. The lock is held for a few
// instructions; for as many envelopes as are dropped or admitted in the one
// call.
// Thread safety: Push...(), Withdraw(), Shut() and what counts from any
// thread; Open(), Pop() and Close() belong to the receiver.
// Memory ordering: what a sender did before it pushed is visible to the
// receiver after the Pop() that returns the envelope. What the receiver did
// before the Pop() that returned null is visible to the sender that gets
// kMustWake.
//
// Waking: the queue is armed by Open(), and by a Pop() that finds nothing: the
// next push says kMustWake, once. So a receiver that is woken calls Pop() until
// it returns null, or sees to it by itself that it comes back; and there is
// never more than one wake under way. Envelopes of senders that waited wake
// nobody: they enter while the queue is not empty.
//
//   State  | Push...()            | Pop()            | Shut() | Close()
//   -------+----------------------+------------------+--------+---------
//   Closed | Closed, kClosed      | null             | Closed | Closed
//   Open   | Open                 | oldest, or armed | Shut   | Closed
//   Shut   | Shut, kClosed        | oldest, or null  | Shut   | Closed
//
//   EnvelopeList dropped;
//   switch (queue.Push(envelope, dropped)) { ... }
//   while (EnvelopePtr old = dropped.Pop()) DeadLetter(*old);
#ifndef TROUPE_MAILBOX_BOUNDED_QUEUE_H_
#define TROUPE_MAILBOX_BOUNDED_QUEUE_H_

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {

// What became of an envelope that was to enter a BoundedQueue.
enum class Admission : uint8_t {
  kEnqueued,  // Taken. The receiver looks by itself.
  kMustWake,  // Taken, and the caller must now wake the receiver.
  kDropped,   // Handed to the caller's list of dropped envelopes (kDropNewest).
  kFull,      // Not taken, there is no space: still the caller's.
  kTooLarge,  // Not taken, it will never fit: still the caller's.
  kClosed,    // Not taken: still the caller's.
  kWaiting,   // Not taken yet: the waiter will be told.
};

class BoundedQueue {
 public:
  // One that waits for space: a thread, or later a coroutine.
  class Waiter {
   public:
    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

   protected:
    // REQUIRES: waits no longer.
    ~Waiter() = default;

   private:
    friend class BoundedQueue;

    // The wait is over: kEnqueued, or kClosed. Called once for each wait, on
    // the thread that made space or closed the queue, under the queue's lock:
    // it must be quick, not block, and leave the queue alone. The waiter may go
    // as soon as another thread has learned from it that it was called.
    virtual void OnAdmission(Admission admission) = 0;

    // Guarded by the queue's lock.
    Envelope* envelope_ = nullptr;
    Waiter* next_ = nullptr;
    Waiter* previous_ = nullptr;
    bool waits_ = false;
  };

  // Closed.
  BoundedQueue() = default;
  BoundedQueue(const BoundedQueue&) = delete;
  BoundedQueue& operator=(const BoundedQueue&) = delete;
  // REQUIRES: closed.
  ~BoundedQueue();

  // Begins to take envelopes whose `target` is `target`; all others find the
  // queue closed. (Memory of receivers is used again: an envelope that a slow
  // sender meant for the one before must not reach this one.)
  // REQUIRES: closed; Validate(capacity).ok().
  void Open(const Capacity& capacity, uint32_t target) ABSL_LOCKS_EXCLUDED(mu_);

  // Pushes `envelope` without waiting; where the policy is kAwait, says kFull
  // instead. What has to go for it is appended to `dropped`.
  [[nodiscard]] Admission Push(Envelope* envelope, EnvelopeList& dropped)
      ABSL_LOCKS_EXCLUDED(mu_);

  // As Push(); where the policy is kAwait and there is no space, `waiter` waits
  // for it from now on, with the envelope: kWaiting.
  [[nodiscard]] Admission PushOrWait(Envelope* envelope, Waiter& waiter,
                                     EnvelopeList& dropped)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the wait. True: it was not over, the envelope is the caller's again,
  // and the waiter will not be told. False: it has been told.
  [[nodiscard]] bool Withdraw(Waiter& waiter) ABSL_LOCKS_EXCLUDED(mu_);

  // Pushes what no limit applies to, such as answers that are owed: it is taken
  // also where there is no space, before those that wait for some. Returns
  // kEnqueued, kMustWake or kClosed.
  // REQUIRES: the policy drops nothing.
  [[nodiscard]] Admission PushBeyond(Envelope* envelope)
      ABSL_LOCKS_EXCLUDED(mu_);

  // As Push(); where the policy is kAwait, waits for space until `clock` says
  // `deadline`, and then says kFull. For threads that may block.
  [[nodiscard]] Admission PushWithDeadline(Envelope* envelope,
                                           const Clock& clock,
                                           MonotonicTime deadline,
                                           EnvelopeList& dropped)
      ABSL_LOCKS_EXCLUDED(mu_);

  // The oldest envelope. Null if there is none: then the next push says
  // kMustWake.
  Envelope* Pop() ABSL_LOCKS_EXCLUDED(mu_);

  // The same for up to `most` at once, at least one.
  EnvelopeList PopSome(int most) ABSL_LOCKS_EXCLUDED(mu_);

  // Takes nothing more. What is queued stays; who waits is told kClosed.
  void Shut() ABSL_LOCKS_EXCLUDED(mu_);

  // Shuts the queue and hands back what is in it.
  EnvelopeList Close() ABSL_LOCKS_EXCLUDED(mu_);

  // Lets the queue, if it is open for `target`, be full with what it holds, or
  // be as it was: for tests of those who send. An empty one takes nothing then,
  // but for one envelope where senders can wait or the oldest is dropped.
  // Returns whether it is open for `target`.
  bool PretendFull(uint32_t target, bool full) ABSL_LOCKS_EXCLUDED(mu_);

  // What is queued, without what waits for space.
  uint64_t messages() const ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t bytes() const ABSL_LOCKS_EXCLUDED(mu_);
  // How many were ever queued, and how many of them are not any more. When
  // left() has come to what entered() was once, all that was queued then has
  // been popped or dropped.
  uint64_t entered() const ABSL_LOCKS_EXCLUDED(mu_);
  uint64_t left() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class State : uint8_t { kClosed, kOpen, kShut };
  class WaitingThread;

  bool Fits(const Envelope& envelope) const ABSL_SHARED_LOCKS_REQUIRED(mu_);
  Admission PushLocked(Envelope* envelope, Waiter* waiter,
                       EnvelopeList& dropped)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Envelope* PopLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What the push says that has filled the queue.
  Admission Enqueued() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Append(Envelope* envelope) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Enlist(Waiter& waiter, Envelope* envelope)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remove(Waiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the envelopes of those that wait, as long as they fit.
  void AdmitWaiters() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ShutLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  Capacity capacity_ ABSL_GUARDED_BY(mu_);
  // That of `capacity_`, but when the queue pretends to be full.
  uint64_t limit_messages_ ABSL_GUARDED_BY(mu_) = 0;
  uint32_t target_ ABSL_GUARDED_BY(mu_) = 0;
  State state_ ABSL_GUARDED_BY(mu_) = State::kClosed;
  bool armed_ ABSL_GUARDED_BY(mu_) = false;
  EnvelopeRing queue_ ABSL_GUARDED_BY(mu_);
  uint64_t entered_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t messages_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t bytes_ ABSL_GUARDED_BY(mu_) = 0;
  Waiter* first_waiter_ ABSL_GUARDED_BY(mu_) = nullptr;
  Waiter* last_waiter_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace troupe

#endif  // TROUPE_MAILBOX_BOUNDED_QUEUE_H_
