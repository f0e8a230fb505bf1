// An Executor with a thread for each worker.
//
// Workers keep what they make ready; one that is loaded hands runnables to one
// that rests. A worker with nothing to do looks for deliveries for a moment
// (one worker at a time) and then sleeps: an idle executor uses no processor
// time. A worker with timers sleeps until the first of them is due.
//
// A handler that does not return does not strand its worker's other runnables:
// a monitor thread notices a turn that lasts longer than
// Options::take_over_after and lends the worker to another thread. The first
// thread finishes its handler, hands its runnable back and waits for the next
// such case. Where the kernel has no membarrier(2) this is off, and a warning
// says so at the start.
//
// A thread that passes input on may drive a worker that sleeps, instead of
// waking it: see Guest.
//
// Blocking: Create() and Shutdown() start and join threads.
// Thread safety: any thread.
// Errors: threads that cannot be created at the start fail Create() with
// kResourceExhausted, nothing half started; the message tells how many could.
// After fork() the child has the memory and no thread: there Create() and
// Shutdown() of what the parent made fail with kFailedPrecondition, and who
// waits, wakes a worker or destroys it aborts, where it would hang.
//
//   absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
//       ThreadExecutor::Create({.workers = 4});
#ifndef TROUPE_SCHEDULER_THREAD_EXECUTOR_H_
#define TROUPE_SCHEDULER_THREAD_EXECUTOR_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/cond_var.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/fork_witness.h"
#include "troupe/scheduler/internal/coarse_time.h"
#include "troupe/scheduler/internal/ticks.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe {

class Guest;

class ThreadExecutor final : public Executor {
 public:
  // A turn that lasted, or has lasted so far, longer than
  // Options::long_turn_after.
  struct LongTurn {
    std::string name;  // Of the runnable.
    absl::Duration so_far;
  };

  struct Options {
    // 0: as many as the process may use processors.
    int workers = 0;
    // How long a turn may take before its worker gets another thread. Turns are
    // looked at once a millisecond, so it may be two milliseconds more. More
    // than 10 ms: no guests are let in. InfiniteDuration(): never.
    absl::Duration take_over_after = absl::Milliseconds(1);
    // Threads beyond one for each worker. When they are used up, a worker whose
    // handler does not return waits for it.
    int max_spare_threads = 256;
    absl::Duration long_turn_after = absl::Milliseconds(10);
    // Called once for each long turn of a shared worker, on the monitor's
    // thread: brief, and no call of the executor. Null: logs. Turns that gave
    // up their seat by themselves are not reported, nor is any where the kernel
    // has no membarrier(2).
    std::function<void(const LongTurn&)> on_long_turn = nullptr;
    Logger logger = {};
    // Null: the real one.
    ThreadFactory* threads = nullptr;
    // An executor that stands before this one and passes its workers on as its
    // own: they name it as their executor, and timers go by its clock, which
    // moves by steps (ClockMoved()). Its alarms and waits are its own affair;
    // those of this executor, and how long turns take, are in real time. It
    // outlives this executor. Null: none.
    Executor* facade = nullptr;
  };

  static absl::StatusOr<std::unique_ptr<ThreadExecutor>> Create(
      Options options);

  // Shuts down. REQUIRES: not in a turn of this executor.
  ~ThreadExecutor() override;

  bool has_threads() const override { return true; }
  bool lost_threads() const override { return witness_.forked(); }
  int shared_workers() const override { return shared_count_; }
  Worker& shared_worker(int index) override;
  void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) override;
  absl::StatusOr<Worker*> StartDedicatedWorker(absl::string_view name) override;
  void ReleaseDedicatedWorker(Worker& worker) override;
  void Inject(Runnable& runnable) override;

  const Clock& clock() const override { return RealClock(); }
  void SetAlarm(Alarm& alarm, MonotonicTime time) override;
  bool CancelAlarm(Alarm& alarm) override;

  bool WaitFor(Event& event, MonotonicTime deadline) override;
  bool RunUntil(absl::FunctionRef<bool()> done,
                MonotonicTime deadline) override;
  absl::Status Shutdown() override;

  uint64_t NewSeed() override { return EntropySeed(); }

  const Logger& logger() const override { return options_.logger; }

  void Unpark(Worker& worker) override;
  void AwaitSettledSeat() override;
  void GiveUpSeat() override;

  // Tells that the clock of the facade has moved. Timers that are due now fire
  // soon, not before the return.
  void ClockMoved();

  // For tests and introspection. Times that a sleeping worker was woken by
  // what was delivered, that a guest drove it instead, that a worker was taken
  // from its thread, and that the monitor looked at alarms and workers.
  uint64_t wakes() const;
  uint64_t visits() const;
  uint64_t take_overs() const;
  uint64_t monitor_looks() const;
  // Until when the monitor sleeps, if nothing happens: in the infinite past
  // while it is awake or only pauses, in the infinite future if no alarm is
  // set.
  MonotonicTime monitor_sleeps_until() const;

 private:
  friend class Guest;
  struct Driver;   // A thread.
  struct Station;  // A worker and what its thread needs.
  enum class Phase { kRunning, kClosing, kEnding, kEnded };

  explicit ThreadExecutor(Options options);

  absl::Status Start();
  absl::StatusOr<std::unique_ptr<Station>> MakeStation(Worker::Kind kind,
                                                       int index,
                                                       std::string name);
  absl::Status StartDriver(Station& station) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static Station& StationOf(Worker& worker);
  bool IsMine(const Worker& worker) const {
    return &worker.executor() == &facade_;
  }
  // Where a thread is about to wait for another one. In a child of fork() there
  // is none.
  void CheckThreads() const;

  // -- driver threads
  void DriverMain(Driver& driver);
  // Waits for a station to drive; null: this thread ends.
  Station* AwaitStation(Driver& driver) ABSL_LOCKS_EXCLUDED(mu_);
  void LeaveStation(Driver& driver, Station& station) ABSL_LOCKS_EXCLUDED(mu_);
  void EndDriver(Driver& driver) ABSL_LOCKS_EXCLUDED(mu_);
  // False: the seat was lost.
  [[nodiscard]] bool Drive(Station& station);
  // Rests until there is something to do, at the latest until `next_timer`;
  // false: this worker ends.
  [[nodiscard]] bool AwaitWork(Station& station, MonotonicTime next_timer);
  // Sleeps. See AwaitWork().
  [[nodiscard]] bool Sleep(Station& station, MonotonicTime next_timer);
  // Gives work to a quiet worker if there is enough of it.
  void MaybeShare(Station& station);
  // After the handler that lost its seat: returns the station that the driver
  // may drive on, or null.
  Station* HandBack(Driver& driver) ABSL_LOCKS_EXCLUDED(mu_);
  // Takes the driver's old station again, if nobody needed it meanwhile.
  bool DriveOn(Driver& driver, Station& station) ABSL_LOCKS_EXCLUDED(mu_);
  void BecomeSpare(Driver& driver) ABSL_LOCKS_EXCLUDED(mu_);
  // Drives `station`, if there is one, and then what it is given, to its end.
  void Serve(Driver& driver, Station* station);

  // -- guests
  // Drives the worker for a moment. False: the thread lost its seat, was kept
  // here, and ends.
  [[nodiscard]] bool DriveAsGuest(Worker& worker, Guest& guest)
      ABSL_LOCKS_EXCLUDED(mu_);
  // Null: the worker's own thread has to be woken.
  [[nodiscard]] Driver* BeginVisit(Station& station, Guest& guest,
                                   MonotonicTime now) ABSL_LOCKS_EXCLUDED(mu_);
  // False: the seat was lost.
  [[nodiscard]] bool Visit(Station& station, MonotonicTime begun);
  void EndVisit(Station& station) ABSL_LOCKS_EXCLUDED(mu_);
  // Makes the guest that loses its seat here a thread of the executor.
  void KeepGuest(Station& station) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // -- monitor thread
  void MonitorMain();
  // Calls `function`, which wakes workers, or is a user's, without the lock.
  template <typename F>
  void WithoutLock(const char* what_for, F&& function)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void RingAlarms() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Looks at each worker's turn; returns whether any worker is awake, or not
  // asleep for long enough.
  bool LookAtWorkers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Wakes a worker that sleeps without a thread if a timer of it is due.
  void WakeForTimer(Station& station, MonotonicTime now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Tells a worker that has slept for a while to tidy up; returns whether it
  // has been told in this nap.
  bool LookAtNap(Station& station) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes the worker away from its thread, or reports it, if its turn is long.
  void LookAtTurn(Station& station) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Reports one turn that lost its seat, if it has become long.
  void ReportLostTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Report(const LongTurn& turn) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes a station, whose seat is revoked or given up, from its driver.
  void Detach(Station& station, Driver& driver)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Whether Staff() would not fail for want of threads.
  bool HasSpare() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Finds a thread for a station without one.
  void Staff(Station& station) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void WakeMonitor() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void JoinEndedThreads() ABSL_LOCKS_EXCLUDED(mu_);
  void EndThreads() ABSL_LOCKS_EXCLUDED(mu_);
  bool ForgetAlarm(Alarm& alarm) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Wakes the thread of a station, or finds it one.
  void Wake(Station& station) ABSL_LOCKS_EXCLUDED(mu_);

  // Whether all workers sleep, and nobody is about to wake one.
  bool AllSleep() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // Set once.
  const ForkWitness witness_;
  const Options options_;
  int shared_count_ = 0;
  ThreadFactory* threads_;
  Executor& facade_;  // This one if there is none.
  const Clock& worker_clock_;
  bool can_revoke_ = false;
  bool takes_guests_ = false;
  int looks_before_wait_ = 0;  // Of a plain thread for its event.
  const internal::Ticks ticks_;
  // Never resized after Start(): read without the lock.
  std::vector<std::unique_ptr<Station>> shared_;

  // Written under mu_, mostly by the monitor; read by shared workers.
  internal::CoarseTime coarse_time_;

  // Written by many; hints.
  std::atomic<int> searchers_{0};

  mutable absl::Mutex mu_;
  CondVar monitor_wake_;
  Phase phase_ ABSL_GUARDED_BY(mu_) = Phase::kRunning;
  absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make_local_
      ABSL_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<Station>> dedicated_ ABSL_GUARDED_BY(mu_);
  int dedicated_started_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::unique_ptr<Driver>> drivers_ ABSL_GUARDED_BY(mu_);
  std::vector<Driver*> spares_ ABSL_GUARDED_BY(mu_);
  int spare_threads_ ABSL_GUARDED_BY(mu_) = 0;
  std::vector<std::unique_ptr<Driver>> ended_ ABSL_GUARDED_BY(mu_);
  TimerWheel alarms_ ABSL_GUARDED_BY(mu_);
  std::deque<Alarm*> due_ ABSL_GUARDED_BY(mu_);  // Expired, not yet rung.
  Alarm* ringing_ ABSL_GUARDED_BY(mu_) = nullptr;
  const ThreadContext* monitor_context_ ABSL_GUARDED_BY(mu_) = nullptr;
  // While the monitor sleeps: until when. Else in the infinite past.
  MonotonicTime monitor_sleeps_until_ ABSL_GUARDED_BY(mu_) =
      MonotonicTime::InfinitePast();
  bool monitor_ends_ ABSL_GUARDED_BY(mu_) = false;
  int ticks_asleep_ ABSL_GUARDED_BY(mu_) = 0;
  bool staffing_failed_ ABSL_GUARDED_BY(mu_) = false;  // And was logged.
  uint64_t wakes_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t take_overs_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t visits_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t monitor_looks_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<JoinableThread> monitor_;
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_THREAD_EXECUTOR_H_
