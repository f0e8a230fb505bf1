// A Runnable is what an executor runs, one turn at a time: an actor's cell, or
// a closure. It is intrusive: scheduling allocates nothing.
//
// Ownership: an executor never owns the memory of a Runnable. Who makes one
// keeps it until its last turn is over and its wake token is in hand.
// Thread safety: a Runnable has one wake token (base/ownership.h). Whoever
// holds it may call WakeOwner() or Executor::Inject() once; all else belongs to
// the owning worker.
#ifndef TROUPE_SCHEDULER_RUNNABLE_H_
#define TROUPE_SCHEDULER_RUNNABLE_H_

#include <atomic>
#include <cstdint>
#include <string>

#include "troupe/base/ownership.h"

namespace troupe {

class Worker;
struct Runnable;

// What a Runnable does, a constant table for each kind. Every function but
// `claimed` is called on the worker that owns the runnable.
//
// Timers that a runnable has set on its worker do not move with it: `release`
// and `claimed` cancel them on the worker that it leaves, `woken` sets them on
// the one to which it has come.
struct RunnableType {
  // Runs a turn. While it lasts the runnable counts as scheduled: neither local
  // work nor its wake token schedules it again. As its last step, it calls
  // Worker::Yield() to be run again, or sets `queue_next` to null; in the
  // latter case it may be gone when `run` returns. Returns false if the thread
  // lost its seat in the turn: it must not have touched worker or runnable
  // since (see LeaveForUserCode()).
  bool (*run)(Runnable&, Worker&);

  // The wake token has come to the owner, which may be a new one, possibly in a
  // turn that lost its seat. Returns whether a turn is wanted; if not, the
  // runnable may be gone.
  bool (*woken)(Runnable&, Worker&);

  // A handler that lost its seat has ended; the runnable is the worker's again,
  // and still counts as scheduled. Returns whether a turn is wanted.
  bool (*returned)(Runnable&, Worker&);

  // The worker would like to give the runnable away. Returns true with the wake
  // token in the caller's hand, or false, with nothing changed, if that cannot
  // be had now.
  bool (*release)(Runnable&, Worker&);

  // For reports.
  std::string (*name)(const Runnable&);

  // The runnable, which is idle, is being claimed out of `from`, which is
  // quiet. On the claimer's thread, which has locked `from`: cancels what
  // timers the runnable has set there, touches nothing else of it, and is as
  // brief as that. Null: it sets none.
  void (*claimed)(Runnable&, Worker& from) = nullptr;
};

struct Runnable {
  Runnable* queue_next = nullptr;  // Owner only. Null: not scheduled.
  std::atomic<uint64_t> owner{OwnerTag::kUnowned};
  const RunnableType* type = nullptr;
  Runnable* next = nullptr;  // The holder of the wake token's.

  bool IsScheduled() const { return queue_next != nullptr; }
};

// Hands the wake token to the owner, which then gets `woken`. The caller holds
// the token, and does not touch the runnable afterwards.
void WakeOwner(Runnable& runnable);

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_RUNNABLE_H_
