// Invariants, whenever the lock is free:
//  1. The first one that waits does not fit. So while somebody waits the queue
//     is not empty: what is not too large fits into an empty one.
//  2. If the queue is armed it is empty, and by 1 nobody waits. So whoever
//  makes
//     space, or leaves the line, may admit others without waking anybody.

#include "troupe/mailbox/bounded_queue.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/base/check.h"
#include "troupe/base/cond_var.h"

namespace troupe {

// A thread in PushWithDeadline(). All members are guarded by the queue's lock.
class BoundedQueue::WaitingThread final : public Waiter {
 public:
  CondVar told;
  Admission admission = Admission::kWaiting;

 private:
  void OnAdmission(Admission result) override {
    admission = result;
    told.Signal();
  }
};

BoundedQueue::~BoundedQueue() {
  absl::MutexLock lock(&mu_);
  TROUPE_CHECK(state_ == State::kClosed,
               "a bounded queue is closed before it is destroyed");
}

void BoundedQueue::Open(const Capacity& capacity, uint32_t target) {
  const absl::Status valid = Validate(capacity);
  TROUPE_CHECK(valid.ok(), valid.message());
  absl::MutexLock lock(&mu_);
  TROUPE_CHECK(state_ == State::kClosed, "only a closed queue can be opened");
  capacity_ = capacity;
  limit_messages_ = capacity.messages;
  target_ = target;
  state_ = State::kOpen;
  armed_ = true;
}

Admission BoundedQueue::Push(Envelope* envelope, EnvelopeList& dropped) {
  absl::MutexLock lock(&mu_);
  return PushLocked(envelope, nullptr, dropped);
}

Admission BoundedQueue::PushOrWait(Envelope* envelope, Waiter& waiter,
                                   EnvelopeList& dropped) {
  absl::MutexLock lock(&mu_);
  return PushLocked(envelope, &waiter, dropped);
}

bool BoundedQueue::Withdraw(Waiter& waiter) {
  absl::MutexLock lock(&mu_);
  if (!waiter.waits_) return false;
  Remove(waiter);
  AdmitWaiters();
  return true;
}

Admission BoundedQueue::PushWithDeadline(Envelope* envelope, const Clock& clock,
                                         MonotonicTime deadline,
                                         EnvelopeList& dropped) {
  WaitingThread waiter;
  absl::MutexLock lock(&mu_);
  const Admission admission = PushLocked(envelope, &waiter, dropped);
  if (admission != Admission::kWaiting) return admission;
  while (waiter.admission == Admission::kWaiting) {
    // Looked at anew after each wait: it may have ended for no reason, and
    // `clock` need not be the real one.
    const absl::Duration remaining = deadline - clock.Now();
    if (remaining <= absl::ZeroDuration()) {
      Remove(waiter);
      AdmitWaiters();
      return Admission::kFull;
    }
    waiter.told.WaitWithTimeout(&mu_, remaining);
  }
  return waiter.admission;
}

bool BoundedQueue::Fits(const Envelope& envelope) const {
  // What was pushed beyond the limit counts, too. As a difference: a sum could
  // overflow.
  return messages_ < limit_messages_ && bytes_ <= capacity_.bytes &&
         envelope.size_bytes() <= capacity_.bytes - bytes_;
}

Admission BoundedQueue::PushLocked(Envelope* envelope, Waiter* waiter,
                                   EnvelopeList& dropped) {
  if (state_ != State::kOpen || envelope->target != target_) {
    return Admission::kClosed;
  }
  if (envelope->size_bytes() > capacity_.bytes) return Admission::kTooLarge;
  if (first_waiter_ != nullptr || !Fits(*envelope)) {
    switch (capacity_.policy) {
      case OverflowPolicy::kReject:
        return Admission::kFull;
      case OverflowPolicy::kDropNewest:
        dropped.Append(EnvelopePtr(envelope));
        return Admission::kDropped;
      case OverflowPolicy::kDropOldest:
        while (!Fits(*envelope)) dropped.Append(EnvelopePtr(PopLocked()));
        break;
      case OverflowPolicy::kAwait:
        if (waiter == nullptr) return Admission::kFull;
        Enlist(*waiter, envelope);
        return Admission::kWaiting;
    }
  }
  Append(envelope);
  return Enqueued();
}

Admission BoundedQueue::Enqueued() {
  return std::exchange(armed_, false) ? Admission::kMustWake
                                      : Admission::kEnqueued;
}

Admission BoundedQueue::PushBeyond(Envelope* envelope) {
  absl::MutexLock lock(&mu_);
  if (state_ != State::kOpen || envelope->target != target_) {
    return Admission::kClosed;
  }
  TROUPE_DCHECK(capacity_.policy == OverflowPolicy::kReject ||
                    capacity_.policy == OverflowPolicy::kAwait,
                "a queue that drops would drop what is owed");
  Append(envelope);
  return Enqueued();
}

void BoundedQueue::Append(Envelope* envelope) {
  queue_.Append(envelope);
  ++entered_;
  ++messages_;
  bytes_ += envelope->size_bytes();
}

Envelope* BoundedQueue::PopLocked() {
  Envelope* const envelope = queue_.Pop();
  if (envelope == nullptr) return nullptr;
  --messages_;
  bytes_ -= envelope->size_bytes();
  return envelope;
}

Envelope* BoundedQueue::Pop() {
  absl::MutexLock lock(&mu_);
  Envelope* const envelope = PopLocked();
  if (envelope == nullptr) {
    armed_ = state_ == State::kOpen;
    return nullptr;
  }
  AdmitWaiters();
  return envelope;
}

EnvelopeList BoundedQueue::PopSome(int most) {
  EnvelopeList some;
  absl::MutexLock lock(&mu_);
  for (; most > 0; --most) {
    Envelope* const envelope = PopLocked();
    if (envelope == nullptr) break;
    some.Append(EnvelopePtr(envelope));
  }
  if (some.empty()) {
    armed_ = state_ == State::kOpen;
  } else {
    AdmitWaiters();
  }
  return some;
}

void BoundedQueue::Enlist(Waiter& waiter, Envelope* envelope) {
  TROUPE_CHECK(!waiter.waits_, "a waiter waits for one envelope at a time");
  waiter.envelope_ = envelope;
  waiter.waits_ = true;
  waiter.next_ = nullptr;
  waiter.previous_ = last_waiter_;
  (last_waiter_ != nullptr ? last_waiter_->next_ : first_waiter_) = &waiter;
  last_waiter_ = &waiter;
}

void BoundedQueue::Remove(Waiter& waiter) {
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last_waiter_) =
      waiter.previous_;
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : first_waiter_) =
      waiter.next_;
  waiter.waits_ = false;
}

void BoundedQueue::AdmitWaiters() {
  while (first_waiter_ != nullptr && Fits(*first_waiter_->envelope_)) {
    Waiter& waiter = *first_waiter_;
    Remove(waiter);
    Append(waiter.envelope_);
    waiter.OnAdmission(Admission::kEnqueued);
  }
}

void BoundedQueue::Shut() {
  absl::MutexLock lock(&mu_);
  ShutLocked();
}

void BoundedQueue::ShutLocked() {
  if (state_ == State::kOpen) state_ = State::kShut;
  armed_ = false;
  while (first_waiter_ != nullptr) {
    Waiter& waiter = *first_waiter_;
    Remove(waiter);
    waiter.OnAdmission(Admission::kClosed);
  }
}

EnvelopeList BoundedQueue::Close() {
  absl::MutexLock lock(&mu_);
  ShutLocked();
  state_ = State::kClosed;
  messages_ = 0;
  bytes_ = 0;
  return EnvelopeList(std::exchange(queue_, EnvelopeRing()));
}

bool BoundedQueue::PretendFull(uint32_t target, bool full) {
  absl::MutexLock lock(&mu_);
  if (state_ != State::kOpen || target != target_) return false;
  if (full) {
    // By invariant 1, nobody waits at an empty queue; and what drops the oldest
    // must come to an end.
    const bool takes_one = capacity_.policy == OverflowPolicy::kAwait ||
                           capacity_.policy == OverflowPolicy::kDropOldest;
    limit_messages_ = std::max<uint64_t>(messages_, takes_one ? 1 : 0);
  } else {
    limit_messages_ = capacity_.messages;
    AdmitWaiters();
  }
  return true;
}

uint64_t BoundedQueue::messages() const {
  absl::MutexLock lock(&mu_);
  return messages_;
}

uint64_t BoundedQueue::bytes() const {
  absl::MutexLock lock(&mu_);
  return bytes_;
}

uint64_t BoundedQueue::entered() const {
  absl::MutexLock lock(&mu_);
  return entered_;
}

uint64_t BoundedQueue::left() const {
  absl::MutexLock lock(&mu_);
  return entered_ - messages_;
}

}  // namespace troupe
