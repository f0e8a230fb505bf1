// How an actor starts, what interrupts its messages, and how it ends.
//
// The phases and what moves an actor from one to the next (Advance()):
//
//   kCreated --construct, PreStart--> kStarted --PostStart--> kRunning
//   any of these --stop, kill, drained, failure--> kExiting
//   kExiting --queue to dead letters, PostStop if graceful-->
//   kAwaitingChildren --last child has ended-->
//   (object destroyed, observers told) --> kTelling --monitors and links
//   told--> kEnding --wake token in hand--> gone
//
// User code runs between the phases, with the seat left. If the seat is lost
// there, the turn ends, and the phase says where the next one goes on.
#ifndef TROUPE_ACTOR_INTERNAL_LIFECYCLE_H_
#define TROUPE_ACTOR_INTERNAL_LIFECYCLE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

enum class Attention : uint8_t {
  kGoOn,    // The turn may handle messages.
  kEnough,  // It may not: it got back what had been set aside.
  kOver,    // The turn is over, the actor perhaps too: touch nothing.
  kLost,    // The seat was lost: touch nothing.
};

// Looks after everything but the normal lane. In the seat of `worker`, which
// owns `cell`.
[[nodiscard]] Attention Attend(Cell& cell, Worker& worker);

// Whether the actor is where it may handle the messages that wait, and they are
// nothing but messages.
inline bool HandlesMessages(const Cell& cell) {
  return cell.phase == Phase::kRunning &&
         (cell.attention() & (Cell::kSuspended | Cell::kQueued)) == 0;
}

// Whether no message waits that a caller may have given up.
inline bool HasNoBacklog(const Cell& cell) {
  const BoundedMailbox* const bounded = cell.bounded();
  return cell.empty() && (bounded == nullptr || bounded->queue.messages() == 0);
}

// A turn that has more to look after than the normal lane.
[[nodiscard]] bool RunWholeTurn(Cell& cell, Worker& worker);

// Ends a turn: the cell is scheduled again, or rests.
[[nodiscard]] bool FinishTurn(Cell& cell, Worker& worker);

// Called now and then in a turn that handles many messages: whether it has
// taken its time. `began` is null at first.
struct TurnClock {
  int64_t began_ns = 0;
};
[[nodiscard]] bool TurnIsLong(Cell& cell, TurnClock& clock);

// Moves what strangers pushed into the lanes, and does what signals ask for.
void DrainMail(Cell& cell, Worker& worker);

// Keeps why the actor fails, and at which message; null: at none, or at that of
// the handler that runs. By the thread that runs its code, outside the seat.
// Without memory for that the actor is killed instead.
void RecordFailure(Cell& cell, absl::Status status,
                   const MessageType* at = nullptr);

// Makes an owned cell look at a request to end. In the seat.
void ApplyRequest(Cell& cell, Ending request, const ExitReason& reason);

// -- RunnableType
// ----------------------------------------------------------------

bool CellWoken(Runnable& runnable, Worker& worker);
bool CellReturned(Runnable& runnable, Worker& worker);
bool CellRelease(Runnable& runnable, Worker& worker);
void CellClaimed(Runnable& runnable, Worker& from);
std::string CellName(const Runnable& runnable);

// The actor's timer has fired; in the seat, between turns.
void CellTimerDue(TimerNode& timer);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_LIFECYCLE_H_
