// What the decisions of a supervisor cost, without the actors they are about:
// do they stay far below the 5 us that a supervised restart may take, and do
// they grow with the number of children only where they must?
#include <cstdint>

#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_machine.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {
namespace {

constexpr ChildRules kRules = {.restart = kPermanent};

// A machine whose children start, and stop, as soon as they are told to.
class World {
 public:
  explicit World(Strategy strategy, int64_t children = 0)
      : machine({.strategy = strategy,
                 .intensity = {.restarts = 1, .within = absl::Nanoseconds(1)}},
                random_) {
    for (int64_t i = 0; i < children; ++i) machine.Add(kRules);
    machine.Start(now);
    Settle();
  }

  void Settle() {
    while (machine.HasCommand()) {
      const SupervisorCommand command = machine.TakeCommand();
      if (command.kind == SupervisorCommand::Kind::kStart) {
        machine.ChildStarted(command.child, now);
      } else if (command.kind == SupervisorCommand::Kind::kStop) {
        machine.ChildEnded(command.child, ExitReason::Kind::kShutdown, now);
      }
    }
  }

 private:
  Random random_{1};

 public:
  MonotonicTime now;
  SupervisorMachine machine;
};

// One child after the other fails; `children` run.
void BM_RestartOne(benchmark::State& state) {
  const ChildKey children = state.range(0);
  World world(kDynamic, children);
  ChildKey next = 0;
  for (auto _ : state) {
    world.now += absl::Seconds(1);
    world.machine.ChildEnded(next, ExitReason::Kind::kFailed, world.now);
    world.Settle();
    next = (next + 1) % children;
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RestartOne)->ArgName("children")->Arg(1)->Arg(100'000);

// The first of `children` fails, and all are stopped and started. Per child.
void BM_RestartAll(benchmark::State& state) {
  World world(kOneForAll, state.range(0));
  for (auto _ : state) {
    world.now += absl::Seconds(1);
    world.machine.ChildEnded(0, ExitReason::Kind::kFailed, world.now);
    world.Settle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_RestartAll)->ArgName("children")->Arg(10)->Arg(10'000);

// `children` come, by hand, and all end together with their supervisor. Per
// child.
void BM_StartManyAndShutDown(benchmark::State& state) {
  for (auto _ : state) {
    World world(kDynamic);
    for (int64_t i = 0; i < state.range(0); ++i) {
      world.machine.StartChild(world.machine.Add(kRules), world.now, i);
      world.Settle();
    }
    world.machine.Shutdown(world.now);
    world.Settle();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_StartManyAndShutDown)
    ->ArgName("children")
    ->Arg(1'000)
    ->Arg(100'000);

}  // namespace
}  // namespace troupe::internal
