// First-in-first-out lists of envelopes, linked through Envelope::next: one
// that leaves ownership to its holder, and one that owns.
//
//   EnvelopeList dropped;
//   ...
//   while (EnvelopePtr envelope = dropped.Pop()) DeadLetter(*envelope);
//
// Thread safety: none.
#ifndef TROUPE_MAILBOX_ENVELOPE_LIST_H_
#define TROUPE_MAILBOX_ENVELOPE_LIST_H_

#include <utility>

#include "troupe/mailbox/envelope.h"

namespace troupe {

// One pointer large: it points to the last envelope, whose `next` is the first.
// Ownership: whoever holds the ring empties it before it goes.
class EnvelopeRing {
 public:
  bool empty() const { return last_ == nullptr; }

  // The oldest; null if empty.
  Envelope* first() const { return last_ == nullptr ? nullptr : last_->next; }

  // The oldest. REQUIRES: not empty().
  Envelope* front() const { return last_->next; }

  // The newest; null if empty.
  const Envelope* last() const { return last_; }

  void Append(Envelope* envelope) {
    if (last_ == nullptr) {
      envelope->next = envelope;
    } else {
      envelope->next = last_->next;
      last_->next = envelope;
    }
    last_ = envelope;
  }

  // The same, quicker if it is the only one.
  void AppendMostlyFirst(Envelope* envelope) {
    if (last_ == nullptr) [[likely]] {
      envelope->next = envelope;
      last_ = envelope;
    } else {
      Append(envelope);
    }
  }

  // Appends all of `other`, which is empty then.
  void AppendAll(EnvelopeRing& other) {
    if (other.last_ == nullptr) return;
    if (last_ != nullptr) std::swap(last_->next, other.last_->next);
    last_ = std::exchange(other.last_, nullptr);
  }

  // Null if empty.
  Envelope* Pop() {
    if (last_ == nullptr) return nullptr;
    Envelope* const first = last_->next;
    if (first == last_) {
      last_ = nullptr;
    } else {
      last_->next = first->next;
    }
    return first;
  }

 private:
  Envelope* last_ = nullptr;
};

// Destroys what is in it when it goes.
class EnvelopeList {
 public:
  EnvelopeList() = default;
  // Takes over what `ring` holds.
  explicit EnvelopeList(EnvelopeRing ring) : ring_(ring) {}
  EnvelopeList(EnvelopeList&& other) noexcept
      : ring_(std::exchange(other.ring_, EnvelopeRing())) {}
  EnvelopeList& operator=(EnvelopeList&& other) noexcept {
    std::swap(ring_, other.ring_);
    return *this;
  }
  ~EnvelopeList() {
    while (Pop() != nullptr) {
    }
  }

  bool empty() const { return ring_.empty(); }
  void Append(EnvelopePtr envelope) { ring_.Append(envelope.release()); }
  // The oldest; null if empty.
  EnvelopePtr Pop() { return EnvelopePtr(ring_.Pop()); }

 private:
  EnvelopeRing ring_;
};

}  // namespace troupe

#endif  // TROUPE_MAILBOX_ENVELOPE_LIST_H_
