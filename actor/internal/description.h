// What an actor is called, why it ends, and what is reported of it.
#ifndef TROUPE_ACTOR_INTERNAL_DESCRIPTION_H_
#define TROUPE_ACTOR_INTERNAL_DESCRIPTION_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/runnable.h"

namespace troupe::internal {

// The actor that `runnable` runs; null if it is no actor, but a closure. On the
// worker that owns it.
ActorId ActorOf(const Runnable& runnable);

// Empty if the actor has none. In the seat.
const std::string& NameOf(const Cell& cell);

// Puts a reason that says more than its kind into the extras.
void KeepExitReason(Cell& cell, const ExitReason& reason);

// Why the actor ends, once that is decided. In the seat.
ExitReason ExitReasonOf(const Cell& cell);
inline bool EndsGracefully(const Cell& cell) {
  return ExitReason::IsGraceful(cell.exit_kind);
}
inline void SetExitReason(Cell& cell, const ExitReason& reason) {
  cell.exit_kind = reason.kind();
  if (!reason.IsPlain()) [[unlikely]]
    KeepExitReason(cell, reason);
}

// Moves the status forward.
inline void SetStatus(Cell& cell, ActorStatus status) {
  // Only the owner writes; it is released for whoever acts on what it sees.
  if (cell.status.load(std::memory_order_relaxed) < status) {
    cell.status.store(status, std::memory_order_release);
  }
}

inline bool IsExiting(const Cell& cell) {
  return cell.phase >= Phase::kExiting;
}

// What is told of an actor: gathered in the seat, because its owner may add to
// the extras while user code runs.
struct Identity {
  explicit Identity(const Cell& cell);
  ActorId id;
  ActorId parent;
  std::string name;
};

// Such as "Account #12 'savings'".
std::string Describe(const ActorType& type, const Identity& who);

// What a failure says that passes from actor to actor, each of which adds to
// it: `text`, or of a long one the beginning and the end, which tell who failed
// last and why the first one did.
std::string Abridged(std::string text);

// -- outside the seat: subscribers and destructors are user code
// ---------------

// A mailbox has grown beyond what is usual.
void ReportHighWater(Cell& cell, const Identity& who, uint32_t queued);
// A chain of messages that `cell` will not handle, because of what `why` says.
void BecomeDeadLetters(Cell& cell, Envelope* undelivered, SendResult why);
// A chain of what was sent to actors that lived in the same memory before.
void MournStrangers(SystemCore& system, Envelope* envelope);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_DESCRIPTION_H_
