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
void EndSomeChildren(Cell& cell, Worker& worker);
inline void EndChildren(Cell& cell, Worker& worker) {
  if (cell.newest_child != nullptr) EndSomeChildren(cell, worker);
}
void KillChildren(Cell& cell, Worker& worker);

// Kills the child that was asked to stop, if its time is over.
void KillLateChild(Cell& cell, Worker& worker);

// Whether the actor is told of the starts and the ends of its children.
inline bool HearsOfChildren(const Cell& cell) {
  return cell.actor_type().on_child != nullptr;
}

// Whether it is told of the end of this one, if it is not about to end itself.
inline bool IsHeard(const Cell& parent, const Cell& child) {
  return (HearsOfChildren(parent) ||
          child.exit_kind == ExitReason::Kind::kFailed) &&
         !child.has(Cell::kStartFailed);
}

// Takes a child out of the tree.
inline void Unlink(Cell& parent, Cell& child) {
  if (child.newer_sibling != nullptr) {
    child.newer_sibling->older_sibling = child.older_sibling;
  } else {
    parent.newest_child = child.older_sibling;
  }
  if (child.older_sibling != nullptr) {
    child.older_sibling->newer_sibling = child.newer_sibling;
  }
  --parent.children;
}

// Whether the turn that ended a child may take it out of the tree. Else its
// parent does so, told by an event: a parent that is elsewhere, or in a handler
// that lost its seat, or waits for this end, or hears of it.
inline bool MayUnlinkHere(const Cell& child, const Worker& worker) {
  const Cell& parent = *child.parent;
  return OwnerTag::SameOwner(parent.owner.load(std::memory_order_relaxed),
                             worker.tag()) &&
         parent.phase == Phase::kRunning && !Worker::IsInTurn(parent) &&
         !IsHeard(parent, child);
}

void TellOfStart(Cell& parent, Cell& cell, Worker& worker);
inline void TellParentOfStart(Cell& cell, Worker& worker) {
  if (cell.parent != nullptr && HearsOfChildren(*cell.parent)) {
    TellOfStart(*cell.parent, cell, worker);
  }
}

// Puts an event into the lane of a parent, which cannot end before it has seen
// it: it has a child.
void TellParentElsewhere(Cell& parent, Envelope* event, Worker& worker);
inline void TellParent(Cell& parent, Envelope* event, Worker& worker) {
  event->lane = Lane::kEvent;
  if (!parent.IsMine(worker.tag())) [[unlikely]]
    return TellParentElsewhere(parent, event, worker);
  parent.AppendToLane(event);
  if (!parent.IsScheduled()) worker.Schedule(parent);
}

// Handles an event of the kEvent lane, of which the actor may have to hear.
// False: the seat was lost, touch nothing.
[[nodiscard]] bool HandleEvent(Cell& cell, Envelope* envelope, Worker& worker);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CHILDREN_H_
