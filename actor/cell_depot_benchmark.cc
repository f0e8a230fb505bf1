// What do free cells cost: taken and put in full chains, in ones that have to
// be taken apart, and with their pages given back to the system in between?

#include <cstddef>
#include <cstdint>
#include <vector>

#include "benchmark/benchmark.h"
#include "troupe/actor/internal/cell_depot.h"

namespace troupe::internal {
namespace {

using Chain = CellDepot::Chain;

constexpr uint8_t kClass = 0;

std::vector<Chain> Take(CellDepot& depot, int64_t cells) {
  std::vector<Chain> chains;
  for (int64_t taken = 0; taken < cells; taken += chains.back().count) {
    chains.push_back(depot.Take(kClass));
  }
  return chains;
}

// From the stock, which holds some thousand cells, or beyond it.
void BM_TakeThenPut(benchmark::State& state) {
  CellDepot depot;
  for (auto _ : state) {
    for (const Chain& chain : Take(depot, state.range(0))) {
      depot.Put(kClass, chain);
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_TakeThenPut)->ArgName("cells")->Arg(64)->Arg(4096)->Arg(100'000);

// What giving all pages back and getting new ones adds.
void BM_TakePutThenRelease(benchmark::State& state) {
  CellDepot depot;
  for (auto _ : state) {
    for (const Chain& chain : Take(depot, state.range(0))) {
      depot.Put(kClass, chain);
    }
    while (depot.ReleaseSome()) {
    }
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_TakePutThenRelease)->ArgName("cells")->Arg(4096)->Arg(100'000);

// How long a worker that tidies up may keep others waiting.
void BM_OneStepOfRelease(benchmark::State& state) {
  CellDepot depot;
  bool done = true;
  for (auto _ : state) {
    if (done) {
      state.PauseTiming();
      for (const Chain& chain : Take(depot, 100'000)) {
        depot.Put(kClass, chain);
      }
      state.ResumeTiming();
    }
    done = !depot.ReleaseSome();
  }
}
BENCHMARK(BM_OneStepOfRelease);

}  // namespace
}  // namespace troupe::internal
