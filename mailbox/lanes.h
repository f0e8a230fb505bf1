// Lanes are what only the owner of a Mailbox touches: what has been taken out
// of it and waits to be handled, and why the owner must look at more than that.
//
// Apart from the Mailbox, whose word many write: in one cache line, each
// message that is handled would take that line from who sends the next.
//
// Order: each lane is first in, first out.
// Ownership: Lanes own the envelopes in them. The owner empties them before
// they die.
// Blocking: no call blocks.
// Thread safety: the owner's, as a whole; the marks are whose who runs the
// owner's code.
#ifndef TROUPE_MAILBOX_LANES_H_
#define TROUPE_MAILBOX_LANES_H_

#include <bit>
#include <cstdint>

#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {

class Lanes {
 public:
  // Bits of attention(): why the owner must look elsewhere than into the normal
  // lane. The bits from kFirstFreeAttention on are the owner's.
  static constexpr uint8_t kEvents = 1;
  static constexpr uint8_t kUrgent = 2;
  static constexpr uint8_t kFirstFreeAttention = 4;
  static constexpr uint8_t kNews = 1;  // See has_news().
  static constexpr uint8_t kFirstFreeMark = 2;

  Lanes() = default;
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // -- the normal lane

  // Appends behind all that was drained.
  void Append(Envelope* envelope) {
    envelope->next = nullptr;
    if (head_ == nullptr) {
      head_ = envelope;
    } else {
      tail_->next = envelope;
    }
    tail_ = envelope;
    ++queued_;
  }
  // Puts all of `first` before what waits.
  void Prepend(EnvelopeRing& first) {
    Envelope* const waiting = head_;
    Envelope** link = &head_;
    while (Envelope* const envelope = first.Pop()) {
      *link = envelope;
      link = &envelope->next;
      if (waiting == nullptr) tail_ = envelope;
      ++queued_;
    }
    *link = waiting;
  }
  // The oldest; REQUIRES: not empty().
  Envelope* Pop() {
    Envelope* const envelope = head_;
    head_ = envelope->next;
    --queued_;
    return envelope;
  }
  bool empty() const { return head_ == nullptr; }
  // The oldest and the newest. Meaningless when empty.
  const Envelope* oldest() const { return head_; }
  const Envelope* newest() const { return tail_; }
  // Whether `matches` says so of one that waits.
  template <typename F>
  bool AnyWaiting(F&& matches) const {
    for (Envelope* envelope = head_; envelope != nullptr;
         envelope = envelope->next) {
      if (matches(*envelope)) return true;
    }
    return false;
  }
  uint32_t queued() const { return queued_; }

  // -- all lanes

  // Appends to the lane that the envelope names. REQUIRES: not kSignal.
  void AppendToLane(Envelope* envelope) {
    switch (envelope->lane) {
      case Lane::kEvent:
        events_.Append(envelope);
        marks_.attention |= kEvents;
        return;
      case Lane::kUrgent:
        AppendUrgent(envelope);
        return;
      default:
        Append(envelope);
    }
  }
  void AppendUrgent(Envelope* envelope) {
    urgent_.AppendMostlyFirst(envelope);
    marks_.attention |= kUrgent;
  }
  const EnvelopeRing& events() const { return events_; }
  const EnvelopeRing& urgent() const { return urgent_; }
  // Null if the lane is empty; then clears its attention bit.
  Envelope* PopEvent() { return PopSide(events_, kEvents); }
  Envelope* PopUrgent() { return PopSide(urgent_, kUrgent); }

  // -- what else there is to look at

  uint8_t attention() const { return marks_.attention; }
  void AddAttention(uint8_t bits) { marks_.attention |= bits; }
  void ClearAttention(uint8_t bits) { marks_.attention &= ~bits; }

  // What the owner's code has left to look at, for whoever runs that code: it
  // may have lost the right to everything else here.
  bool has_news() const { return has_mark(kNews); }
  void set_has_news(bool has_news) { set_mark(kNews, has_news); }
  // Other marks of that code; the bits from kFirstFreeMark on.
  bool has_mark(uint8_t mark) const { return (marks_.code & mark) != 0; }
  void set_mark(uint8_t mark, bool on) {
    marks_.code = on ? marks_.code | mark : marks_.code & ~mark;
  }
  void ClearMarks() { marks_.code = 0; }
  // Whether there is news, or one of these bits of attention(); one look.
  // REQUIRES: the owner runs its code itself.
  bool HasNewsOr(uint8_t attention) const {
    return (std::bit_cast<uint16_t>(marks_) &
            std::bit_cast<uint16_t>(Marks{attention, kNews})) != 0;
  }

  // For the owner's own use, in the same cache line.
  uint8_t owner_byte() const { return owner_byte_; }
  void set_owner_byte(uint8_t value) { owner_byte_ = value; }
  uint8_t owner_bits() const { return owner_bits_; }
  void set_owner_bits(uint8_t value) { owner_bits_ = value; }

 private:
  struct Marks {
    uint8_t attention = 0;
    uint8_t code = 0;  // Whoever runs the owner's code writes it.
  };

  Envelope* PopSide(EnvelopeRing& ring, uint8_t bit) {
    Envelope* const envelope = ring.Pop();
    if (ring.empty()) marks_.attention &= ~bit;
    return envelope;
  }

  EnvelopeRing events_;
  EnvelopeRing urgent_;
  Envelope* head_ = nullptr;
  Envelope* tail_ = nullptr;
  uint32_t queued_ = 0;
  Marks marks_;
  uint8_t owner_byte_ = 0;
  uint8_t owner_bits_ = 0;
};
static_assert(sizeof(Lanes) == 40);

}  // namespace troupe

#endif  // TROUPE_MAILBOX_LANES_H_
