// The slow way through the normal lane: where Cell::kQueued says that not all
// that waits there are messages in the list.
#ifndef TROUPE_ACTOR_INTERNAL_QUEUED_TURN_H_
#define TROUPE_ACTOR_INTERNAL_QUEUED_TURN_H_

#include <cstdint>

#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// What a turn may handle of it: as much as waited when it began, unless that
// takes too long. In the seat.
class QueuedTurn {
 public:
  explicit QueuedTurn(Cell& cell) : cell_(cell) {}

  // The next message or notice; null if the turn is over for them. Once nothing
  // is left that the fast way cannot handle, kQueued is cleared; the queue of a
  // bounded mailbox is armed then.
  Envelope* Next();

 private:
  Envelope* NextOfQueue(BoundedQueue& queue);
  Envelope* NextOfLane();
  // Counts the messages before the next one for this way, or some of them; each
  // is looked at once. False: there is none.
  bool LookAhead();

  Cell& cell_;
  int64_t left_ = -1;  // Not looked at yet.
  int plain_ = 0;      // What comes first in the lane are so many messages.
  TurnClock clock_;
};

// Puts a message that the fast way does not know (Lane::kAside) in line. By the
// owner, in the seat.
void AdmitAside(Cell& cell, Envelope* envelope);

// Whether only this way knows what to do with it.
inline bool IsForSlowWay(const Envelope& envelope) {
  return IsNotice(envelope) || envelope.lane == Lane::kAside;
}

// Handles what Next() has returned. Outside the seat.
void HandleQueued(Cell& cell, Envelope* envelope);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_QUEUED_TURN_H_
