// A parent and its children: events, and ending them. In the seat of the worker
// that owns the parent.
#ifndef TROUPE_ACTOR_INTERNAL_CHILDREN_H_
#define TROUPE_ACTOR_INTERNAL_CHILDREN_H_

#include <cstdint>

#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Asks any cell to end.
void RequestEnd(Cell& cell, Ending request, const ExitReason& reason,
                Worker& worker);

// Begins to end all children: one after the other, the youngest first, on a
// graceful end; otherwise all are killed.
void EndChildren(Cell& cell, Worker& worker);
void KillChildren(Cell& cell, Worker& worker);

// Kills the child that was asked to stop, if its time is over.
void KillLateChild(Cell& cell, Worker& worker);

void TellParentOfStart(Cell& cell, Worker& worker);

// Handles an event of the kEvent lane. False: the seat is lost.
[[nodiscard]] bool HandleEvent(Cell& cell, Envelope* envelope, Worker& worker);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CHILDREN_H_
