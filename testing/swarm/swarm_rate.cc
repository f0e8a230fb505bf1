// How much the swarm gets through: events (messages, calls, timers, lives, ...)
// of which one core plays so many in a second, with every invariant looked at,
// and whole runs.
#include <cstdint>

#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/testing/swarm/run.h"

namespace troupe::swarm {
namespace {

void BM_Seeds(benchmark::State& state) {
  uint64_t seed = 0;
  uint64_t events = 0;
  for (auto _ : state) {
    const RunResult result = RunSeed(seed++);
    if (!result.invariant.empty()) {
      state.SkipWithError(result.report.c_str());
      break;
    }
    events += result.events;
  }
  state.SetItemsProcessed(static_cast<int64_t>(events));
  state.counters["seeds_per_hour"] = benchmark::Counter(
      static_cast<double>(seed) * 3600, benchmark::Counter::kIsRate);
}
BENCHMARK(BM_Seeds);

}  // namespace
}  // namespace troupe::swarm

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  // It is on in Debian's Abseil, and takes longer than all that it looks at.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
