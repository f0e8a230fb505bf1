// What a thread knows of its role, and how it enters and leaves its seat: the
// right to act as the worker that it drives (base/ownership.h).
//
// Blocking: EnterSeat() and ReturnFromUserCode() wait while a monitor settles
// the seat.
// Thread safety: each thread has its own.
#ifndef TROUPE_SCHEDULER_THREAD_CONTEXT_H_
#define TROUPE_SCHEDULER_THREAD_CONTEXT_H_

#include <cstdint>

#include "troupe/base/check.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/runnable.h"

namespace troupe {

class Guest;
class Worker;

// What a thread knows of its own role.
struct ThreadContext {
  Seat<> seat;
  // The worker that this thread drives, or drove when its handler began: with
  // the seat lost it is only good for asking whose executor it is.
  Worker* worker = nullptr;
  // The runnable whose turn this thread is in; null between turns.
  Runnable* running = nullptr;
  // Who keeps the next wake for this thread itself; null on most.
  Guest* guest = nullptr;

  // True on a thread of an executor that is in a turn, seat or not.
  bool InTurn() const { return running != nullptr; }
};

// The calling thread's. No initialiser, no destructor: one load.
extern constinit thread_local ThreadContext this_thread;

namespace internal {
// Waits until the monitor has settled this thread's seat; returns its tag,
// inside again.
uint64_t AwaitSettledSeat();
}  // namespace internal

// As EnterSeat(), but the tag is yet to be settled. For a step that first
// compares it with that of an object, which is a worker's.
inline uint64_t EnterSeatUnsettled() {
  TROUPE_DCHECK(!this_thread.seat.IsInside(), "steps of a seat do not nest");
  return this_thread.seat.Enter();
}
// Inside the seat: the tag if nobody revokes the seat, else what it is when
// somebody has.
inline uint64_t Settled(uint64_t tag) {
  if (tag == OwnerTag::kSeatBeingRevoked) [[unlikely]] {
    return internal::AwaitSettledSeat();
  }
  return tag;
}
// Enters the seat for a step of the runtime that a handler asked for. Returns
// the tag to compare with: kNoSeat on a thread without a worker.
// REQUIRES: outside. Steps do not nest: the inner one would leave for both.
inline uint64_t EnterSeat() { return Settled(EnterSeatUnsettled()); }
inline void LeaveSeat() { this_thread.seat.Leave(); }

// Called by a turn around each call of code that may not return soon. Between
// the two the thread is outside its seat, and the runnable's mailbox, flags and
// timers belong to the worker, which another thread may drive.
inline void LeaveForUserCode() {
  TROUPE_DCHECK(this_thread.seat.IsInside(), "a turn begins inside its seat");
  this_thread.seat.Leave();
}
// False: the seat is lost, the turn ends at once without touching anything.
[[nodiscard]] inline bool ReturnFromUserCode() {
  const uint64_t tag = EnterSeatUnsettled();
  return OwnerTag::IsOfWorker(tag) || Settled(tag) != OwnerTag::kNoSeat;
}

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_THREAD_CONTEXT_H_
