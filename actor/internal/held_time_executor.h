// A ThreadExecutor for tests, whose time stands still until the test moves it:
// what takes seconds, and handlers that block meanwhile, can be tested together
// without waiting.
//
// The threads are real; alarms, timers and deadlines go by the held time.
// Alarms ring within Advance(), one after the other; timers of workers fire on
// their workers, soon after it, as if they had come late.
//
// Thread safety: any thread.
#ifndef TROUPE_ACTOR_INTERNAL_HELD_TIME_EXECUTOR_H_
#define TROUPE_ACTOR_INTERNAL_HELD_TIME_EXECUTOR_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
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
#include "troupe/base/log.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

class HeldTimeExecutor final : public Executor {
 public:
  // REQUIRES: the threads can be had.
  explicit HeldTimeExecutor(ThreadExecutor::Options options) {
    options.facade = this;
    threads_ = ThreadExecutor::Create(std::move(options)).value();
  }

  // Moves the time, and rings what is due, in the order of its time.
  void Advance(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mu_) {
    const MonotonicTime end = clock_.Now() + duration;
    absl::MutexLock lock(&mu_);
    while (true) {
      const auto next = std::min_element(
          alarms_.begin(), alarms_.end(),
          [](const Set& a, const Set& b) { return a.time < b.time; });
      if (next == alarms_.end() || next->time > end) break;
      clock_.AdvanceTo(std::max(clock_.Now(), next->time));
      Alarm& alarm = *next->alarm;
      alarms_.erase(next);
      ringing_ = &alarm;
      mu_.Unlock();
      alarm.Ring();
      mu_.Lock();
      ringing_ = nullptr;
    }
    clock_.AdvanceTo(end);
    threads_->ClockMoved();
  }

  // When the next alarm rings; in the infinite future if none is set.
  MonotonicTime NextAlarm() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    MonotonicTime next = MonotonicTime::InfiniteFuture();
    for (const Set& set : alarms_) next = std::min(next, set.time);
    return next;
  }

  // Blocks until so many threads wait for an event.
  void AwaitWaiters(int count) const ABSL_LOCKS_EXCLUDED(mu_) {
    const auto enough = [this, count]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return waiters_ >= count;
    };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&enough));
  }

  // -- Executor --------------------------------------------------------------

  bool has_threads() const override { return true; }
  int shared_workers() const override { return threads_->shared_workers(); }
  Worker& shared_worker(int index) override {
    return threads_->shared_worker(index);
  }
  void SetLocals(
      absl::AnyInvocable<std::unique_ptr<WorkerLocal>(Worker&)> make) override {
    threads_->SetLocals(std::move(make));
  }
  absl::StatusOr<Worker*> StartDedicatedWorker(
      absl::string_view name) override {
    return threads_->StartDedicatedWorker(name);
  }
  void ReleaseDedicatedWorker(Worker& worker) override {
    threads_->ReleaseDedicatedWorker(worker);
  }
  void Inject(Runnable& runnable) override { threads_->Inject(runnable); }

  const Clock& clock() const override { return clock_; }
  uint64_t NewSeed() override { return threads_->NewSeed(); }
  const Logger& logger() const override { return threads_->logger(); }
  void SetAlarm(Alarm& alarm, MonotonicTime time) override {
    absl::MutexLock lock(&mu_);
    Forget(alarm);
    alarms_.push_back({&alarm, time});
  }
  bool CancelAlarm(Alarm& alarm) override {
    const auto silent = [this, &alarm]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return ringing_ != &alarm;
    };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&silent));
    return Forget(alarm);
  }

  bool WaitFor(Event& event, MonotonicTime deadline) override {
    {
      absl::MutexLock lock(&mu_);
      ++waiters_;
    }
    const bool set = RunUntil([&event] { return event.IsSet(); }, deadline);
    absl::MutexLock lock(&mu_);
    --waiters_;
    return set;
  }
  bool RunUntil(absl::FunctionRef<bool()> done,
                MonotonicTime deadline) override {
    bool is_done = false;
    threads_->RunUntil(
        [&] {
          is_done = done();
          return is_done || clock_.Now() >= deadline;
        },
        MonotonicTime::InfiniteFuture());
    return is_done;
  }
  absl::Status Shutdown() override { return threads_->Shutdown(); }

  void Unpark(Worker& worker) override { threads_->Unpark(worker); }
  void AwaitSettledSeat() override { threads_->AwaitSettledSeat(); }
  void GiveUpSeat() override { threads_->GiveUpSeat(); }

 private:
  struct Set {
    Alarm* alarm;
    MonotonicTime time;
  };

  bool Forget(Alarm& alarm) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    return std::erase_if(alarms_, [&alarm](const Set& set) {
             return set.alarm == &alarm;
           }) > 0;
  }

  ManualClock clock_;
  mutable absl::Mutex mu_;
  std::vector<Set> alarms_ ABSL_GUARDED_BY(mu_);
  const Alarm* ringing_ ABSL_GUARDED_BY(mu_) = nullptr;
  int waiters_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<ThreadExecutor> threads_;  // Last: the first to go.
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_HELD_TIME_EXECUTOR_H_
