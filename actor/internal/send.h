// How a message gets into an actor's mailbox: the inline part, for a sender on
// the worker that owns the receiver, and the way to everything else.
#ifndef TROUPE_ACTOR_INTERNAL_SEND_H_
#define TROUPE_ACTOR_INTERNAL_SEND_H_

#include <cstdint>

#include "troupe/actor/actor_status.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// In the seat with `tag`, settled or not: every send that is not the fast one.
// Leaves the seat. No send of an envelope throws.
[[nodiscard]] SendResult SendSlow(Cell& cell, uint64_t id, Envelope* envelope,
                                  uint64_t tag);

// In the seat with `tag`, settled or not: sends a message of the normal lane
// the fast way, and leaves the seat. False: there is only SendSlow().
[[nodiscard]] inline bool SendFast(Cell& cell, uint64_t id, Envelope* envelope,
                                   uint64_t tag) {
  // Equal tags: this thread drives the worker that owns the cell, and
  // everything pushed to the cell by what has moved here since was drained.
  // Then the id cannot change under our eyes. A cell with a bounded mailbox
  // never shows a current tag.
  if (cell.IsMine(tag) && cell.id.load(std::memory_order_relaxed) == id &&
      cell.LooksOpen()) [[likely]] {
    cell.Append(envelope);
    if (!cell.IsScheduled()) this_thread.worker->Schedule(cell);
    LeaveSeat();
    return true;
  }
  return false;
}

// Sends a message of the normal lane. If it is refused, the envelope is still
// the caller's.
[[nodiscard]] inline SendResult TrySendEnvelope(Cell& cell, uint64_t id,
                                                Envelope* envelope) {
  const uint64_t tag = EnterSeatUnsettled();
  if (SendFast(cell, id, envelope, tag)) [[likely]]
    return SendResult::kSent;
  return SendSlow(cell, id, envelope, tag);
}

// The same, for a message of any lane but kSignal.
[[nodiscard]] SendResult TrySendInLane(Cell& cell, uint64_t id,
                                       Envelope* envelope);

// The same; makes a dead letter of what is refused.
void SendInLane(Cell& cell, uint64_t id, Envelope* envelope);

// Publishes and destroys a message that was refused.
void BecomeDeadLetter(Cell& cell, uint64_t id, Envelope* envelope,
                      SendResult result);

// As TrySendEnvelope() for a sender that can wait: in the queue of a bounded
// mailbox with OverflowPolicy::kAwait, if there is no space. Then returns that
// queue, and nothing in `result`. For an actor elsewhere the envelope is one
// that FarCell::Wrap() made.
BoundedQueue* TrySendOrWait(Cell& cell, uint64_t id, Envelope* envelope,
                            BoundedQueue::Waiter& waiter, SendResult& result);

// Sends, or makes a dead letter.
inline void SendEnvelope(Cell& cell, uint64_t id, Envelope* envelope) {
  const SendResult result = TrySendEnvelope(cell, id, envelope);
  if (IsRefused(result)) [[unlikely]] {
    BecomeDeadLetter(cell, id, envelope, result);
  }
}

// What several threads send, each after the one before, behind all that they
// have sent: it is always pushed. The way that is open to the receiver's own
// worker is shorter, and would overtake what the others pushed.
//
// In the normal lane. Sends, or makes a dead letter.
void SendBehindAll(Cell& cell, uint64_t id, Envelope* envelope);
// In the urgent lane, which no mailbox bounds, and anywhere: in the seat or
// outside, and under a lock. There nothing can be had that runs code of others:
// no seat, no claim to an actor that rests, no dead letter. If it is refused,
// the envelope is still the caller's.
[[nodiscard]] SendResult PushBehindAll(Cell& cell, uint64_t id,
                                       Envelope* envelope);

// What null references refer to: a cell that is dead for ever.
Cell& NoCell();

// In the seat: makes `cell`, which this worker owns, look at what was put into
// its lanes or its attention.
inline void ScheduleMine(Cell& cell) {
  if (!cell.IsScheduled()) this_thread.worker->Schedule(cell);
}

// For code of the actor that runs long: takes what came meanwhile, and says
// whether the actor was killed. Outside the seat.
bool LookForKill(Cell& cell);

// How a request to end is pushed: a handler that runs long looks for a kill.
inline Mailbox::Word::Kind KindOf(Ending request) {
  return request == Ending::kKill ? Mailbox::Word::Kind::kUrging
                                  : Mailbox::Word::Kind::kClosing;
}

// A request to end, from any thread that is outside its seat.
void SendRequest(Cell& cell, uint64_t id, Ending request,
                 const ExitReason& reason);

// A request to the runtime part of an actor, in the kSignal lane; see
// lifecycle.h for the types. False: there is no such actor any more; the
// envelope is still the caller's.
[[nodiscard]] bool SendSignal(Cell& cell, uint64_t id, Envelope* envelope,
                              Mailbox::Word::Kind kind);

// Whether an actor's own matters can be seen to at once.
enum class Reach : uint8_t {
  kHere,       // Yes: what strangers pushed has been taken.
  kElsewhere,  // Only by what is pushed to it.
  kGone,       // There is no such actor any more.
};
// In the seat with `tag`.
[[nodiscard]] Reach ReachFromSeat(Cell& cell, uint64_t id, uint64_t tag);
// As SendSignal(), in the seat with `tag`; destroys what is not taken.
void PushSignalFromSeat(Cell& cell, uint64_t id, Envelope* envelope,
                        uint64_t tag);
// The same anywhere: in the seat or outside, and under a lock.
void PushSignal(Cell& cell, uint64_t id, Envelope* envelope);
// The same, unless the actor takes no more messages: then returns false, and
// the envelope is still the caller's.
[[nodiscard]] bool PushSignalIfOpen(Cell& cell, uint64_t id,
                                    Envelope* envelope);

// As SendControl() in reply.h, but anywhere: in the seat or outside, and under
// a lock. Never the fast way.
void PushControl(Cell& cell, uint64_t id, Envelope* envelope);

// As SendControl() in reply.h, every time that it is not the fast way. In the
// seat with `tag`, settled or not; leaves it.
void SendControlSlowly(Cell& cell, uint64_t id, Envelope* envelope,
                       uint64_t tag);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SEND_H_
