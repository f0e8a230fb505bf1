// An Executor runs runnables on workers. Two exist: ThreadExecutor has a thread
// for each worker; DeterministicExecutor plays any number of workers on the
// caller's thread, in an order that a seed decides.
//
// Thread safety: any thread, unless a function says otherwise.
#ifndef TROUPE_SCHEDULER_EXECUTOR_H_
#define TROUPE_SCHEDULER_EXECUTOR_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe {

// A point in time at which something is called, once. Owned by who sets it.
// `ring` runs on a thread of the executor, or on the one that pumps it, and
// must be brief; it may set its own alarm again.
class Alarm : public TimerNode {
 public:
  explicit Alarm(absl::AnyInvocable<void()> ring) : ring_(std::move(ring)) {}
  void Ring() { ring_(); }

 private:
  absl::AnyInvocable<void()> ring_;
};

class Executor {
 public:
  virtual ~Executor() = default;

  // Whether turns run on threads of the executor's. Else they run on that which
  // pumps it, and nothing must block.
  virtual bool has_threads() const = 0;
  // Whether fork() has parted this process from them: nothing runs any more,
  // and no wait would end.
  virtual bool lost_threads() const { return false; }

  // -- workers ---------------------------------------------------------------

  virtual int shared_workers() const = 0;
  // REQUIRES: 0 <= index < shared_workers().
  virtual Worker& shared_worker(int index) = 0;

  // Calls `make` for each worker, now and for those to come.
  virtual void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) = 0;

  // Starts a worker with a thread of its own, which keeps what it is given. It
  // ends with the executor, or when it is released.
  // kResourceExhausted: the thread cannot be created. kFailedPrecondition: the
  // executor has been shut down.
  virtual absl::StatusOr<Worker*> StartDedicatedWorker(
      absl::string_view name) = 0;
  // Ends a dedicated worker once it has nothing to run. REQUIRES: it owns
  // nothing any more, no timer either, and will be given nothing.
  virtual void ReleaseDedicatedWorker(Worker& worker) = 0;

  // Gives a runnable that nobody owns to some shared worker. The caller holds
  // its wake token.
  virtual void Inject(Runnable& runnable) = 0;

  // -- time ------------------------------------------------------------------

  virtual const Clock& clock() const = 0;

  // Sets `alarm`, or sets it anew. Resolution: 1 ms, never early.
  virtual void SetAlarm(Alarm& alarm, MonotonicTime time) = 0;
  // Returns whether it was pending. After the return it neither rings nor is
  // ringing, unless called from its own `ring`.
  virtual bool CancelAlarm(Alarm& alarm) = 0;

  // A seed for random numbers, not the same for two callers. Without threads
  // the executor's own seed decides it, so that a run can be replayed.
  virtual uint64_t NewSeed() = 0;

  // -- waiting and ending ----------------------------------------------------

  // Waits for `event` until `deadline`; returns whether it was set. Blocks a
  // plain thread; pumps an executor without threads.
  // REQUIRES: not in a turn.
  virtual bool WaitFor(Event& event, MonotonicTime deadline) = 0;

  // The same for any condition; it is evaluated between turns, and must change
  // through turns or alarms only. Executors with threads look once a
  // millisecond.
  virtual bool RunUntil(absl::FunctionRef<bool()> done,
                        MonotonicTime deadline) = 0;

  // Runs what is ready, then ends the threads; waits for no alarm or timer.
  // Idempotent; called from several threads, each returns when all is done.
  // REQUIRES: nothing is injected or woken from outside any more; no timer is
  // pending when all has run.
  // kFailedPrecondition: called in a turn; nothing is done.
  virtual absl::Status Shutdown() = 0;

  // Where failures are reported that no caller would hear of.
  virtual const Logger& logger() const = 0;

  // -- for workers -----------------------------------------------------------

  // Wakes the thread of a worker that fell asleep, whose nap a delivery of the
  // caller has ended. Called once for each such nap, perhaps late: until then
  // neither the worker nor the executor ends.
  virtual void Unpark(Worker& worker) = 0;
  // Blocks until no seat of the executor is being revoked.
  virtual void AwaitSettledSeat() = 0;
  // Gives the calling thread's worker to another thread, because user code is
  // about to block. Without effect where that makes no sense.
  virtual void GiveUpSeat() = 0;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_EXECUTOR_H_
