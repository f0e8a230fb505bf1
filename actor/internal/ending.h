// The steps in which an actor ends; lifecycle.h tells their order.
#ifndef TROUPE_ACTOR_INTERNAL_ENDING_H_
#define TROUPE_ACTOR_INTERNAL_ENDING_H_

#include "absl/status/status.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/end_observers.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Takes all messages out of the lanes, as a chain; events stay. In the seat.
Envelope* TakeWaitingMessages(Cell& cell);
inline Envelope* TakeMessages(Cell& cell) {
  const bool none = cell.empty() && cell.bounded() == nullptr &&
                    cell.handler == nullptr &&
                    (cell.attention() & (Lanes::kUrgent | Cell::kQueued)) == 0;
  return none ? nullptr : TakeWaitingMessages(cell);
}

// What waited becomes dead letters; PostStop runs on a graceful end. Outside
// the seat.
void RunExitHooks(Cell& cell, Envelope* undelivered, const ExitReason& reason);

// Whether PostStop is to run. In the seat.
inline bool RunsPostStop(const Cell& cell) {
  return cell.actor_type().post_stop != nullptr && EndsGracefully(cell);
}

// Whether somebody is to hear of the end, the parent apart. In the seat.
inline bool NeedsFarewell(const Cell& cell) {
  return cell.extras != nullptr ||
         cell.exit_kind == ExitReason::Kind::kFailed ||
         cell.system->events().channel<ActorEnded>().HasSubscribers();
}

// Whether an actor that is asked to stop can do so in one step: it has nothing
// else to look after, no user code is to run, and nobody is to hear of it but
// its parent. In the seat.
inline bool MayEndAtOnce(const Cell& cell) {
  // Without extras the reason is a plain one, and the mailbox has no bounds.
  return cell.attention() == Cell::kRequested &&
         cell.phase == Phase::kRunning && cell.request() == Ending::kStop &&
         cell.handler == nullptr && cell.newest_child == nullptr &&
         cell.extras == nullptr && cell.empty() && !cell.HasMail() &&
         cell.actor_type().post_stop == nullptr &&
         cell.actor_type().destroy == nullptr &&
         !cell.system->events().channel<ActorEnded>().HasSubscribers();
}

// The object is destroyed, then the calls are ended that it had under way.
// Outside the seat.
void DestroyObject(Cell& cell);

// The object is destroyed, then `observers` are told, which frees the name,
// then whoever watches may know. Outside the seat.
void Destroy(Cell& cell, const Identity& who, const EndObservers& observers,
             const ExitReason& reason);

// Ends the mailbox and, with the wake token here, everything: touch nothing
// afterwards. In the seat.
void End(Cell& cell, Worker& worker);

// The last step, with the wake token in hand: touch nothing afterwards.
void Release(Cell& cell, Worker& worker);

// Does what a signal asks for. In the seat.
void HandleSignal(Cell& cell, Envelope* signal, Worker& worker);

// Tells who waits for the start, if somebody does. In the seat.
void AnswerStart(Cell& cell, absl::Status status);

// Undoes a start that failed, by the thread that made the cell. Outside the
// seat. Children that were spawned are ended first, and name and memory go with
// the last of them; without any, all is gone on return.
void AbandonStart(Cell& cell);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_ENDING_H_
