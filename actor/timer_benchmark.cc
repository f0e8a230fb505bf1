// What timers of an actor cost: for a regression check.
#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/timer.h"

namespace troupe {
namespace {

struct Tick {};
struct StartAndCancel {
  int64_t times;
  using Reply = void;
};
struct StartOthers {
  int64_t timers;
  using Reply = void;
};

class Timed : public Actor<Tick, StartAndCancel, StartOthers> {
 public:
  void Handle(Tick) {}
  void Handle(StartOthers m) {
    // In no order of time, and none of them soon.
    for (int64_t i = 0; i < m.timers; ++i) {
      SendAfter<Tick>(absl::Hours(1) + absl::Microseconds(i * 7919 % 1000003));
    }
  }
  void Handle(StartAndCancel m) {
    for (int64_t i = 0; i < m.times; ++i) {
      Timer timer = SendAfter<Tick>(absl::Hours(1));
      benchmark::DoNotOptimize(timer.Cancel());
    }
  }
};

// A timeout that is set and not needed, with others pending in the actor.
void BM_StartAndCancel(benchmark::State& state) {
  constexpr int64_t kTimes = 100'000;
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  const auto actor = system->Spawn<Timed>().value();
  (void)actor.Call<StartOthers>(state.range(0)).Wait();
  for (auto _ : state) {
    (void)actor.Call<StartAndCancel>(kTimes).Wait();
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_StartAndCancel)
    ->ArgName("others")
    ->Arg(0)
    ->Arg(1'000)
    ->Arg(1'000'000)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();

struct Go {
  int64_t left;
};

class Chain : public Actor<Go> {
 public:
  void Handle(Go m) {
    if (m.left == 0) return StopSelf();
    SendAfter<Go>(absl::ZeroDuration(), m.left - 1);
  }
};

// From its start to the handler of its message, in a turn of its own.
void BM_SendAfterNoTime(benchmark::State& state) {
  constexpr int64_t kTimes = 200'000;
  for (auto _ : state) {
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 1}).value();
    system->Spawn<Chain>().value().Send<Go>(kTimes);
    system->AwaitNoActors();
  }
  state.SetItemsProcessed(state.iterations() * kTimes);
}
BENCHMARK(BM_SendAfterNoTime)
    ->Unit(benchmark::kMillisecond)
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace troupe
