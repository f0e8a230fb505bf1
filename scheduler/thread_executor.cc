// Starting, ending, and what other threads ask for. The threads' own work is in
// thread_executor_drive.cc, the monitor's in thread_executor_monitor.cc.
//
// Ending, step by step (Shutdown()):
//   1. Phase kClosing: no dedicated worker is started any more.
//   2. Wait until every worker sleeps with an empty inbox, nobody is about to
//      wake one, no turn is without its seat and no alarm rings: nothing can
//      become ready again, and nobody comes by. One look at each worker would
//      not tell, because one that was seen asleep may be delivered to by one
//      that is looked at later. So two looks are taken: who sleeps at both and
//      did not fall asleep in between slept all the time, and between the looks
//      all of them did so together.
//   3. Phase kEnding, in the same critical section: alarms ring no more.
//      Drivers and the monitor are told to end, and are joined.
// Callers that come second wait for phase kEnded.
#include "troupe/scheduler/thread_executor.h"

#include <pthread.h>

#include <functional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/check.h"
#include "troupe/base/cpu_count.h"
#include "troupe/base/membarrier.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/guest.h"
#include "troupe/scheduler/internal/station.h"

namespace troupe {
namespace {

// How often a plain thread looks for its event before it sleeps: about as long
// as being woken takes (some 50 us).
constexpr int kLooksBeforeWait = 1280;

// So long a guest may be kept from what it has to do by a handler.
constexpr absl::Duration kTakeOverSoonEnough = absl::Milliseconds(10);

absl::Status TooFewThreads(size_t started, size_t wanted,
                           const absl::Status& why) {
  return absl::ResourceExhaustedError(absl::StrCat(
      "only ", started, " of ", wanted,
      " threads could be started: ", why.message(),
      "; ask for fewer workers, or raise the limit of threads (ulimit -u, "
      "pids.max) or of memory"));
}

// A debug build of Abseil looks for deadlocks at each lock, in a graph that has
// a lock itself: in a child of fork(), a thread that is lost may have had it.
void LookForNoDeadlocksInChild() {
  if (!ForkWitness::ThreadsWereLost()) return;
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

}  // namespace

ThreadExecutor::ThreadExecutor(Options options)
    : options_(std::move(options)),
      facade_(options_.facade != nullptr ? *options_.facade : *this),
      worker_clock_(facade_.clock()),
      ticks_(RealClock().Now()) {
  coarse_time_.Set(worker_clock_.Now());
  if (options_.threads != nullptr) {
    threads_ = options_.threads;
  } else {
    threads_ = &RealThreadFactory();
  }
}

ThreadExecutor::~ThreadExecutor() {
  CheckThreads();
  const absl::Status status = Shutdown();
  TROUPE_CHECK(status.ok(), "an executor is destroyed in one of its own turns");
}

void ThreadExecutor::CheckThreads() const {
  TROUPE_CHECK(!lost_threads(),
               "this process is a child of fork(), and the executor's threads "
               "are its parent's: call exec");
}

absl::StatusOr<std::unique_ptr<ThreadExecutor>> ThreadExecutor::Create(
    Options options) {
  if (ForkWitness::ThreadsWereLost()) {
    // What all executors of a process share may be locked, for ever.
    return absl::FailedPreconditionError(
        "this process is a child of fork(), whose parent had an executor with "
        "threads: call exec, or fork before there is one");
  }
  if (options.workers < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("workers is ", options.workers,
                     "; give a positive number, or 0 for one per processor"));
  }
  if (options.max_spare_threads < 0) {
    return absl::InvalidArgumentError(absl::StrCat("max_spare_threads is ",
                                                   options.max_spare_threads,
                                                   "; give 0 or more"));
  }
  std::unique_ptr<ThreadExecutor> executor(
      new ThreadExecutor(std::move(options)));
  if (absl::Status status = executor->Start(); !status.ok()) {
    executor->EndThreads();
    absl::MutexLock lock(&executor->mu_);
    executor->phase_ = Phase::kEnded;
    return status;
  }
  return executor;
}

absl::Status ThreadExecutor::Start() {
  // Behind the witness's own, which says what was lost.
  static const int error =
      pthread_atfork(nullptr, nullptr, &LookForNoDeadlocksInChild);
  static_cast<void>(error);
  const int count =
      options_.workers > 0 ? options_.workers : AvailableCpuCount();
  looks_before_wait_ = AvailableCpuCount() > 1 ? kLooksBeforeWait : 0;
  can_revoke_ = AsymmetricBarrierAvailable();
  if (!can_revoke_ && options_.take_over_after < absl::InfiniteDuration()) {
    options_.logger.Log(LogSeverity::kWarning,
                        "this kernel offers no membarrier(2): a handler that "
                        "blocks holds up all actors of its worker");
  }
  takes_guests_ =
      can_revoke_ && options_.take_over_after <= kTakeOverSoonEnough;
  shared_count_ = count;
  for (int i = 0; i < count; ++i) {
    absl::StatusOr<std::unique_ptr<Station>> station =
        MakeStation(Worker::Kind::kShared, i, absl::StrCat("worker-", i));
    if (!station.ok()) return station.status();
    shared_.push_back(*std::move(station));
  }
  const size_t wanted = shared_.size() + 1;  // The monitor is one.
  absl::MutexLock lock(&mu_);
  for (const std::unique_ptr<Station>& station : shared_) {
    const absl::Status status = StartDriver(*station);
    if (!status.ok()) return TooFewThreads(drivers_.size(), wanted, status);
  }
  absl::StatusOr<std::unique_ptr<JoinableThread>> monitor =
      threads_->Start("monitor", [this] {
        internal::MustHaveMemory("the monitor of workers",
                                 [this] { MonitorMain(); });
      });
  if (!monitor.ok()) {
    return TooFewThreads(drivers_.size(), wanted, monitor.status());
  }
  monitor_ = *std::move(monitor);
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ThreadExecutor::Station>>
ThreadExecutor::MakeStation(Worker::Kind kind, int index, std::string name) {
  auto station = std::make_unique<Station>();
  absl::StatusOr<std::unique_ptr<Worker>> worker =
      Worker::Create(facade_, kind, index);
  if (!worker.ok()) return worker.status();
  station->worker = *std::move(worker);
  // The monitor does not look at dedicated workers, lest one that blocks keeps
  // it awake.
  if (kind == Worker::Kind::kShared) {
    station->worker->set_coarse_time(coarse_time_);
  }
  station->worker->host = station.get();
  station->thread_name = std::move(name);
  station->shares = kind == Worker::Kind::kShared && shared_count_ > 1;
  return station;
}

ThreadExecutor::Station& ThreadExecutor::StationOf(Worker& worker) {
  return *static_cast<Station*>(worker.host);
}

Worker& ThreadExecutor::shared_worker(int index) {
  TROUPE_CHECK(index >= 0 && index < shared_count_, "no such worker");
  return *shared_[index]->worker;
}

void ThreadExecutor::SetLocals(
    absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) {
  absl::MutexLock lock(&mu_);
  make_local_ = std::move(make);
  for (const std::unique_ptr<Station>& station : shared_) {
    station->worker->set_local(make_local_(*station->worker));
  }
}

absl::StatusOr<Worker*> ThreadExecutor::StartDedicatedWorker(
    absl::string_view name) {
  CheckThreads();
  absl::MutexLock lock(&mu_);
  if (phase_ != Phase::kRunning) {
    return absl::FailedPreconditionError(absl::StrCat(
        "dedicated thread '", name, "': the executor has been shut down"));
  }
  absl::StatusOr<std::unique_ptr<Station>> station = MakeStation(
      Worker::Kind::kDedicated, dedicated_started_++, std::string(name));
  if (!station.ok()) return station.status();
  Worker& worker = *(*station)->worker;
  if (make_local_) worker.set_local(make_local_(worker));
  // First: a thread that runs is never lost.
  dedicated_.reserve(dedicated_.size() + 1);
  if (absl::Status status = StartDriver(**station); !status.ok()) {
    return status;
  }
  dedicated_.push_back(*std::move(station));
  return &worker;
}

void ThreadExecutor::ReleaseDedicatedWorker(Worker& worker) {
  StationOf(worker).End();
}

void ThreadExecutor::Inject(Runnable& runnable) {
  // Each thread has a worker of its own for that: what one thread makes is
  // likely to talk to one another, and a worker with a backlog shares it. But
  // one that is awake, if there is one: it costs no wake.
  static std::atomic<uint32_t> injectors{0};
  static thread_local const uint32_t injector =
      injectors.fetch_add(1, std::memory_order_relaxed);
  Worker* chosen = nullptr;
  for (int i = 0; i < shared_count_; ++i) {
    Worker& candidate = *shared_[(injector + i) % shared_count_]->worker;
    if (!candidate.LooksAsleep()) {
      chosen = &candidate;
      break;
    }
    if (chosen == nullptr) chosen = &candidate;
  }
  chosen->Deliver(runnable);
}

bool ThreadExecutor::ForgetAlarm(Alarm& alarm) {
  if (alarms_.Cancel(alarm)) return true;
  return std::erase(due_, &alarm) > 0;
}

void ThreadExecutor::SetAlarm(Alarm& alarm, MonotonicTime time) {
  CheckThreads();
  absl::MutexLock lock(&mu_);
  ForgetAlarm(alarm);
  alarms_.Schedule(alarm, ticks_.AtOrAfter(time));
  if (time < monitor_sleeps_until_) monitor_wake_.Signal();
}

bool ThreadExecutor::CancelAlarm(Alarm& alarm) {
  CheckThreads();
  absl::MutexLock lock(&mu_);
  bool was_pending = ForgetAlarm(alarm);
  const auto rung = [this, &alarm]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return ringing_ != &alarm;
  };
  while (ringing_ == &alarm && monitor_context_ != &this_thread) {
    mu_.Await(absl::Condition(&rung));
    // It may have set itself again.
    was_pending |= ForgetAlarm(alarm);
  }
  return was_pending;
}

void ThreadExecutor::ClockMoved() {
  absl::MutexLock lock(&mu_);
  coarse_time_.Set(worker_clock_.Now());
  for (const auto* stations : {&shared_, &dedicated_}) {
    for (const std::unique_ptr<Station>& station : *stations) station->Unpark();
  }
}

bool ThreadExecutor::WaitFor(Event& event, MonotonicTime deadline) {
  CheckThreads();
  if (this_thread.guest != nullptr) this_thread.guest->WakeKept();
  // What is waited for is often about to happen, and being woken costs more
  // than many looks.
  for (int look = 0; look < looks_before_wait_ && !event.LooksSet(); ++look) {
    RealAtomics::SpinPause();
  }
  if (event.LooksSet() && event.IsSet()) return true;
  return event.WaitWithTimeout(deadline - clock().Now());
}

bool ThreadExecutor::RunUntil(absl::FunctionRef<bool()> done,
                              MonotonicTime deadline) {
  CheckThreads();
  if (this_thread.guest != nullptr) this_thread.guest->WakeKept();
  Event never;
  while (!done()) {
    if (clock().Now() >= deadline) return false;
    (void)never.WaitWithTimeout(absl::Milliseconds(1));  // A pause, no event.
  }
  return true;
}

void ThreadExecutor::Unpark(Worker& worker) {
  CheckThreads();
  if (takes_guests_ && this_thread.guest != nullptr &&
      this_thread.guest->Keep(*this, worker)) {
    return;
  }
  Wake(StationOf(worker));
}

void ThreadExecutor::Wake(Station& station) {
  {
    absl::MutexLock lock(&mu_);
    ++wakes_;
    WakeMonitor();
    if (station.driver == nullptr) {
      station.CountWake();
      // Late, it may find the worker at its end, or asleep again: then whoever
      // ends this nap finds it a thread.
      if (!station.finished && !station.worker->LooksAsleep()) Staff(station);
      return;
    }
  }
  station.Wake();
}

void ThreadExecutor::AwaitSettledSeat() {
  const Station& station = StationOf(*this_thread.worker);
  absl::MutexLock lock(&mu_);
  const auto settled = [&station] { return !station.changes_hands; };
  mu_.Await(absl::Condition(&settled));
}

void ThreadExecutor::WakeMonitor() {
  if (monitor_sleeps_until_ == MonotonicTime::InfinitePast()) return;
  // It has to look at turns now. Whoever is woken next need not signal again.
  monitor_sleeps_until_ = MonotonicTime::InfinitePast();
  ticks_asleep_ = 0;
  monitor_wake_.Signal();
}

bool ThreadExecutor::AllSleep() {
  if (ringing_ != nullptr || !due_.empty()) return false;
  for (const std::unique_ptr<Driver>& driver : drivers_) {
    if (driver->lost_station != nullptr) return false;
  }
  std::vector<const Worker*> workers;
  for (const auto* stations : {&shared_, &dedicated_}) {
    for (const std::unique_ptr<Station>& station : *stations) {
      if (station->resident != nullptr) return false;
      if (!station->finished) workers.push_back(station->worker.get());
    }
  }
  // Of those that sleep, and those that have no thread any more.
  const auto settled = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    for (const auto* stations : {&shared_, &dedicated_}) {
      if (!absl::c_all_of(*stations, std::mem_fn(&Station::IsSettled))) {
        return false;
      }
    }
    return true;
  };
  const auto count_naps = [&workers] {
    uint64_t naps = 0;
    for (const Worker* worker : workers) naps += worker->naps();
    return naps;
  };
  const auto look = [&workers] {
    return absl::c_all_of(workers, std::mem_fn(&Worker::LooksAsleep));
  };
  // Each count only grows, so equal sums are equal counts.
  const uint64_t naps = count_naps();
  return look() && settled() && look() && count_naps() == naps;
}

absl::Status ThreadExecutor::Shutdown() {
  if (this_thread.guest != nullptr) this_thread.guest->WakeKept();
  if (lost_threads()) {
    return absl::FailedPreconditionError(
        "an executor is shut down by the process that made it, not by a child "
        "of fork()");
  }
  const bool in_turn = this_thread.InTurn() && IsMine(*this_thread.worker);
  {
    absl::MutexLock lock(&mu_);
    if (in_turn || monitor_context_ == &this_thread) {
      return absl::FailedPreconditionError(
          "an executor cannot be shut down in one of its own turns or alarms; "
          "leave it to the thread that created it");
    }
    if (phase_ != Phase::kRunning) {
      const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
        return phase_ == Phase::kEnded;
      };
      mu_.Await(absl::Condition(&ended));
      return absl::OkStatus();
    }
    phase_ = Phase::kClosing;
    // Falling asleep takes no lock and wakes nobody: look every millisecond.
    CondVar nobody_signals;
    while (!AllSleep()) {
      nobody_signals.WaitWithTimeout(&mu_, absl::Milliseconds(1));
    }
    phase_ = Phase::kEnding;
    monitor_ends_ = true;
  }
  EndThreads();
  absl::MutexLock lock(&mu_);
  phase_ = Phase::kEnded;
  return absl::OkStatus();
}

void ThreadExecutor::EndThreads() {
  {
    absl::MutexLock lock(&mu_);
    monitor_ends_ = true;
    monitor_wake_.SignalAll();
  }
  if (monitor_ != nullptr) monitor_->Join();
  {
    absl::MutexLock lock(&mu_);
    for (const auto* stations : {&shared_, &dedicated_}) {
      for (const std::unique_ptr<Station>& station : *stations) station->End();
    }
    for (const std::unique_ptr<Driver>& driver : drivers_) {
      driver->ends = true;
      driver->called.Signal();
    }
    const auto all_ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return drivers_.empty();
    };
    mu_.Await(absl::Condition(&all_ended));
  }
  JoinEndedThreads();
}

uint64_t ThreadExecutor::wakes() const {
  absl::MutexLock lock(&mu_);
  return wakes_;
}

uint64_t ThreadExecutor::take_overs() const {
  absl::MutexLock lock(&mu_);
  return take_overs_;
}

uint64_t ThreadExecutor::visits() const {
  absl::MutexLock lock(&mu_);
  return visits_;
}

uint64_t ThreadExecutor::monitor_looks() const {
  absl::MutexLock lock(&mu_);
  return monitor_looks_;
}

MonotonicTime ThreadExecutor::monitor_sleeps_until() const {
  absl::MutexLock lock(&mu_);
  return monitor_sleeps_until_;
}

}  // namespace troupe
