// What a timer costs its worker: most are cancelled before they fire (the
// deadlines of calls), so Schedule() and Cancel() matter most, and must not
// depend on how many timers are pending.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/timer_wheel.h"

namespace troupe {
namespace {

// With ticks of a millisecond: the default deadline of a call, and an hour.
constexpr uint64_t kCallTimeoutTicks = 5'000;
constexpr uint64_t kHourTicks = 3'600'000;

// Timers spread over the next hour.
std::vector<TimerNode> ScheduleMany(TimerWheel& wheel, size_t count) {
  Random random(1);
  std::vector<TimerNode> timers(count);
  for (TimerNode& timer : timers) {
    wheel.Schedule(timer, wheel.now_tick() + 1 + random.Uniform(kHourTicks));
  }
  return timers;
}

void CancelAll(TimerWheel& wheel, std::vector<TimerNode>& timers) {
  for (TimerNode& timer : timers) wheel.Cancel(timer);
}

// A call that is answered at once, beside `pending` other timers.
void BM_ScheduleThenCancel(benchmark::State& state) {
  TimerWheel wheel;
  std::vector<TimerNode> pending = ScheduleMany(wheel, state.range(0));
  TimerNode deadline;
  for (auto _ : state) {
    wheel.Schedule(deadline, wheel.now_tick() + kCallTimeoutTicks);
    benchmark::DoNotOptimize(wheel.Cancel(deadline));
  }
  state.SetItemsProcessed(state.iterations());
  CancelAll(wheel, pending);
}
BENCHMARK(BM_ScheduleThenCancel)
    ->ArgName("pending")
    ->Arg(0)
    ->Arg(1'000)
    ->Arg(1'000'000);

// As above, with 1000 calls open at a time, which are answered in random order:
// the nodes are no longer at hand in the first-level cache.
void BM_ScheduleThenCancelInRandomOrder(benchmark::State& state) {
  constexpr size_t kOpenCalls = 1'000;
  TimerWheel wheel;
  std::vector<TimerNode> pending = ScheduleMany(wheel, state.range(0));
  std::vector<TimerNode> deadlines(kOpenCalls);
  Random random(2);
  for (auto _ : state) {
    TimerNode& deadline = deadlines[random.Uniform(kOpenCalls)];
    wheel.Cancel(deadline);
    wheel.Schedule(deadline, wheel.now_tick() + kCallTimeoutTicks);
  }
  state.SetItemsProcessed(state.iterations());
  CancelAll(wheel, deadlines);
  CancelAll(wheel, pending);
}
BENCHMARK(BM_ScheduleThenCancelInRandomOrder)
    ->ArgName("pending")
    ->Arg(0)
    ->Arg(1'000'000);

// Timers that fire, each then scheduled for another time within an hour: per
// timer its moves down the levels, the call and Schedule().
void BM_AdvanceAndReschedule(benchmark::State& state) {
  TimerWheel wheel;
  std::vector<TimerNode> timers = ScheduleMany(wheel, state.range(0));
  Random random(3);
  size_t fired = 0;
  for (auto _ : state) {
    fired += wheel.Advance(*wheel.NextExpiry(), [&](TimerNode& timer) {
      wheel.Schedule(timer, wheel.now_tick() + 1 + random.Uniform(kHourTicks));
    });
  }
  state.SetItemsProcessed(static_cast<int64_t>(fired));
  CancelAll(wheel, timers);
}
BENCHMARK(BM_AdvanceAndReschedule)
    ->ArgName("timers")
    ->Arg(1)
    ->Arg(1'000)
    ->Arg(1'000'000);

// The question that a worker asks before it parks.
void BM_NextExpiry(benchmark::State& state) {
  TimerWheel wheel;
  std::vector<TimerNode> pending = ScheduleMany(wheel, state.range(0));
  for (auto _ : state) {
    benchmark::DoNotOptimize(wheel.NextExpiry());
  }
  CancelAll(wheel, pending);
}
BENCHMARK(BM_NextExpiry)->ArgName("pending")->Arg(0)->Arg(1'000'000);

}  // namespace
}  // namespace troupe
