// What timers of a worker cost, which every call with a deadline pays: for a
// regression check.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/internal/coarse_time.h"
#include "troupe/scheduler/internal/worker_testing.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe {
namespace {

using internal::CoarseTime;
using internal::IdleExecutor;
using internal::MakeWorker;

constexpr absl::Duration kDeadline = absl::Seconds(5);

class CountingLocal final : public WorkerLocal {
 public:
  void Flush() override {}
  void TimerDue(TimerNode&) override { ++fired; }
  int64_t fired = 0;
};

// A worker that goes by a coarse time, as those with threads do, with timers
// pending that come within a minute.
class LoadedWorker {
 public:
  explicit LoadedWorker(int64_t pending)
      : worker_(MakeWorker(executor_)), timers_(pending) {
    worker_->set_coarse_time(time_);
    worker_->set_local(std::make_unique<CountingLocal>());
    Random random(1);
    for (TimerNode& timer : timers_) {
      worker_->SetTimer(timer, MonotonicTime() + absl::Seconds(10) +
                                   absl::Milliseconds(random.Uniform(50'000)));
    }
  }
  ~LoadedWorker() {
    for (TimerNode& timer : timers_) worker_->CancelTimer(timer);
  }

  Worker& worker() { return *worker_; }
  CoarseTime& time() { return time_; }

 private:
  IdleExecutor executor_;
  CoarseTime time_;
  std::unique_ptr<Worker> worker_;
  std::vector<TimerNode> timers_;
};

// What does a deadline cost that is set and, because the answer came,
// cancelled?
void BM_SetAndCancel(benchmark::State& state) {
  LoadedWorker loaded(state.range(0));
  Worker& worker = loaded.worker();
  TimerNode timer;
  for (auto _ : state) {
    worker.SetTimer(timer, worker.now() + kDeadline);
    worker.CancelTimer(timer);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SetAndCancel)
    ->ArgName("pending")
    ->Arg(0)
    ->Arg(1'000)
    ->Arg(1'000'000);

// The same for one of 64 calls that are under way at any time, while time goes
// by: a millisecond in 1,000 calls.
void BM_SetAndCancelInTurn(benchmark::State& state) {
  constexpr int kUnderWay = 64;
  LoadedWorker loaded(state.range(0));
  Worker& worker = loaded.worker();
  std::vector<TimerNode> timers(kUnderWay);
  int64_t calls = 0;
  for (auto _ : state) {
    TimerNode& timer = timers[calls % kUnderWay];
    worker.CancelTimer(timer);
    worker.SetTimer(timer, worker.now() + kDeadline);
    if (++calls % 1'000 == 0) {
      loaded.time().Set(loaded.time().Get() + absl::Milliseconds(1));
    }
    if (worker.TimersLookDue()) worker.FireTimers();
  }
  for (TimerNode& timer : timers) worker.CancelTimer(timer);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SetAndCancelInTurn)
    ->ArgName("pending")
    ->Arg(0)
    ->Arg(1'000)
    ->Arg(1'000'000);

// And what one that is set and fires, with the look in which it does?
void BM_SetAndFire(benchmark::State& state) {
  LoadedWorker loaded(0);
  Worker& worker = loaded.worker();
  TimerNode timer;
  for (auto _ : state) {
    const MonotonicTime next = worker.now() + absl::Milliseconds(1);
    worker.SetTimer(timer, next);
    loaded.time().Set(next);
    if (worker.TimersLookDue()) worker.FireTimers();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SetAndFire);

}  // namespace
}  // namespace troupe
