// A Mailbox is the queue between any number of senders and the one owner that
// receives from it: a plain list that only the owner touches, and one atomic
// word to which everybody else pushes (base/ownership.h).
//
// Order: envelopes of one sender arrive in the order sent, within a lane.
// Nothing is promised between senders, or between lanes but their priority.
// Ownership: a Mailbox owns the envelopes in it. Whoever ends it takes them
// back; a Mailbox that dies with envelopes in it is a broken invariant.
// Blocking: no call blocks; pushing is lock-free. There is no limit: see
// mailbox/bounded_queue.h for one, mailbox/blocking_mailbox.h for threads that
// wait.
// Thread safety: Load(), LooksOpen() and Push() from any thread. Every other
// member belongs to the owner.
// Memory ordering: what a sender did before Push() is visible to the owner
// after the Drain() that moves the envelope. What the owner did before Arm() is
// visible to the sender that gets kMustWake.
//
//   State  | Push()            | Arm()             | Shut()  | Die()
//   -------+-------------------+-------------------+---------+--------
//   Active | Active, kEnqueued | Idle, if no mail  | Shut    | Dead
//   Idle   | Active, kMustWake | invalid           | Shut    | Dead
//   Shut   | kClosed; signals  | as before         | Shut    | Dead
//          | as before         |                   |         |
//   Dead   | Dead, kClosed     | invalid           | invalid | invalid
//
//   if (mailbox.Push(mailbox.Load(), MakeEnvelope<int>(1)) ==
//       PushResult::kMustWake) {
//     Wake(owner);
//   }
#ifndef TROUPE_MAILBOX_MAILBOX_H_
#define TROUPE_MAILBOX_MAILBOX_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "troupe/base/ownership.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {

// The lanes that overtake the normal one. Apart from the Mailbox, so that its
// owner decides what shares a cache line with what.
struct SideLanes {
  EnvelopeRing events;
  EnvelopeRing urgent;
};

class Mailbox {
 public:
  using Word = MailWord<Envelope>;
  using Reading = Word::Reading;

  // Bits of attention(): why the owner must look elsewhere than into the normal
  // lane. The bits from kFirstFreeAttention on are the owner's.
  static constexpr uint8_t kEvents = 1;
  static constexpr uint8_t kUrgent = 2;
  static constexpr uint8_t kFirstFreeAttention = 4;
  static constexpr uint8_t kNews = 1;  // See has_news().
  static constexpr uint8_t kFirstFreeMark = 2;

  Mailbox() = default;
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  // -- any thread ------------------------------------------------------------

  // To be followed by a check that the receiver is the one that is meant, and
  // by Push() with what this returned.
  Reading Load() const { return word_.Load(); }
  bool LooksOpen() const { return word_.LooksOpen(); }
  bool LooksUrgent() const { return word_.LooksUrgent(); }

  [[nodiscard]] PushResult Push(Reading reading, Envelope* envelope,
                                Word::Kind kind = Word::Kind::kMessage) {
    return word_.Push(reading, envelope, envelope, kind);
  }
  // Pushes envelopes linked from the newest to the oldest.
  [[nodiscard]] PushResult PushChain(Reading reading, Envelope* newest,
                                     Envelope* oldest) {
    return word_.Push(reading, newest, oldest);
  }

  // -- owner only ------------------------------------------------------------

  // Begins to take envelopes; see MailWord::Open().
  void Open(bool token_inside) { word_.Open(token_inside); }

  // Appends to the normal lane, behind all that was drained.
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
  // Puts all of `first` before what waits in the normal lane.
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
  // Appends to the lane that the envelope names. REQUIRES: not kSignal.
  void AppendToLane(Envelope* envelope, SideLanes& lanes) {
    switch (envelope->lane) {
      case Lane::kEvent:
        lanes.events.Append(envelope);
        marks_.attention |= kEvents;
        return;
      case Lane::kUrgent:
        lanes.urgent.Append(envelope);
        marks_.attention |= kUrgent;
        return;
      default:
        Append(envelope);
    }
  }

  // The oldest of the normal lane; REQUIRES: not empty().
  Envelope* Pop() {
    Envelope* const envelope = head_;
    head_ = envelope->next;
    --queued_;
    return envelope;
  }
  // Of the normal lane.
  bool empty() const { return head_ == nullptr; }
  // The oldest and the newest of the normal lane. Meaningless when empty.
  const Envelope* oldest() const { return head_; }
  const Envelope* newest() const { return tail_; }
  // Whether `matches` says so of one in the normal lane.
  template <typename F>
  bool AnyWaiting(F&& matches) const {
    for (Envelope* envelope = head_; envelope != nullptr;
         envelope = envelope->next) {
      if (matches(*envelope)) return true;
    }
    return false;
  }
  // Envelopes in the normal lane.
  uint32_t queued() const { return queued_; }

  // Null if the lane is empty; then clears its attention bit.
  Envelope* PopEvent(SideLanes& lanes) {
    return PopSide(lanes.events, kEvents);
  }
  Envelope* PopUrgent(SideLanes& lanes) {
    return PopSide(lanes.urgent, kUrgent);
  }

  bool HasMail() const { return word_.HasMail(); }

  // Moves all that was pushed into the lanes, oldest first. `special` gets, as
  // special(Envelope*, bool stale), signals, and with `stale` whatever was
  // meant for another receiver in the same memory (its target is not
  // `target`); they are its own then.
  template <typename Special>
  void Drain(uint32_t target, SideLanes& lanes, Special&& special) {
    Envelope* envelope = Reverse(word_.Take());
    while (envelope != nullptr) {
      Envelope* const next = envelope->next;
      if (envelope->target != target) [[unlikely]] {
        special(envelope, true);
      } else if (envelope->lane == Lane::kNormal) [[likely]] {
        Append(envelope);
      } else if (envelope->lane == Lane::kSignal) {
        special(envelope, false);
      } else {
        AppendToLane(envelope, lanes);
      }
      envelope = next;
    }
  }

  [[nodiscard]] bool Arm() { return word_.Arm(); }
  [[nodiscard]] bool Disarm() { return word_.Disarm(); }
  void Shut() { word_.Shut(); }
  void Reopen() { word_.Reopen(); }

  struct Remains {
    Envelope* chain;    // Oldest first, of all lanes; may contain strangers'.
    bool token_inside;  // See MailWord::Remains.
  };
  // Ends the mailbox. The lanes are the owner's to empty before or after.
  Remains Die() {
    const Word::Remains remains = word_.Die();
    return {Reverse(remains.chain), remains.token_inside};
  }

  // For memory that was given back to the system since the mailbox died; see
  // MailWord::Restart().
  void Restart(uint64_t generation) { word_.Restart(generation); }

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

  // For the owner's own use, in the mailbox's cache line.
  uint8_t owner_byte() const { return owner_byte_; }
  void set_owner_byte(uint8_t value) { owner_byte_ = value; }
  uint8_t owner_bits() const { return owner_bits_; }
  void set_owner_bits(uint8_t value) { owner_bits_ = value; }

 private:
  struct Marks {
    uint8_t attention = 0;
    uint8_t code = 0;  // Whoever runs the owner's code writes it.
  };

  static Envelope* Reverse(Envelope* newest) {
    Envelope* oldest = nullptr;
    while (newest != nullptr) {
      Envelope* const next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    return oldest;
  }

  Envelope* PopSide(EnvelopeRing& ring, uint8_t bit) {
    Envelope* const envelope = ring.Pop();
    if (ring.empty()) marks_.attention &= ~bit;
    return envelope;
  }

  Word word_;                 // Written by many.
  Envelope* head_ = nullptr;  // The rest: owner only.
  Envelope* tail_ = nullptr;
  uint32_t queued_ = 0;
  Marks marks_;
  uint8_t owner_byte_ = 0;
  uint8_t owner_bits_ = 0;
};
static_assert(sizeof(Mailbox) == 32);

}  // namespace troupe

#endif  // TROUPE_MAILBOX_MAILBOX_H_
