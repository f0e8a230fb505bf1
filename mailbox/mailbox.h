// A Mailbox is the queue between any number of senders and the one owner that
// receives from it: one atomic word to which everybody but the owner pushes
// (base/ownership.h). What the owner has taken out of it waits in its Lanes.
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

#include <cstddef>
#include <cstdint>

#include "troupe/base/ownership.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/lanes.h"

namespace troupe {

class Mailbox {
 public:
  using Word = MailWord<Envelope>;
  using Reading = Word::Reading;

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

  bool HasMail() const { return word_.HasMail(); }

  // Moves all that was pushed into the lanes, oldest first. `special` gets, as
  // special(Envelope*, bool stale), signals and what is kAside, and with
  // `stale` whatever was meant for another receiver in the same memory (its
  // target is not `target`); they are its own then.
  template <typename Special>
  void Drain(uint32_t target, Lanes& lanes, Special&& special) {
    Envelope* envelope = Reverse(word_.Take());
    while (envelope != nullptr) {
      Envelope* const next = envelope->next;
      if (envelope->target != target) [[unlikely]] {
        special(envelope, true);
      } else if (envelope->lane == Lane::kNormal) [[likely]] {
        lanes.Append(envelope);
      } else if (envelope->lane == Lane::kSignal ||
                 envelope->lane == Lane::kAside) {
        special(envelope, false);
      } else {
        lanes.AppendToLane(envelope);
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

 private:
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

  Word word_;
};
static_assert(sizeof(Mailbox) == 8);

}  // namespace troupe

#endif  // TROUPE_MAILBOX_MAILBOX_H_
