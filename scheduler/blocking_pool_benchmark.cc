// What it costs to hand blocking work to a thread and hear of its end: the
// floor under which work is better done in place.
#include "absl/status/status.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/base/check.h"
#include "troupe/scheduler/blocking_pool.h"

namespace troupe {
namespace {

// One task at a time, and a wait for it. The thread that runs it is woken
// (keep:1), or started because the last one ended at once (keep:0).
void BM_SubmitAndWait(benchmark::State& state) {
  BlockingPool pool({.max_threads = 1,
                     .idle_timeout = state.range(0) == 0
                                         ? absl::ZeroDuration()
                                         : absl::InfiniteDuration()});
  for (auto _ : state) {
    absl::BlockingCounter done(1);
    const absl::Status accepted =
        pool.Submit([&done] { done.DecrementCount(); });
    TROUPE_CHECK(accepted.ok(), accepted.ToString());
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SubmitAndWait)->ArgName("keep")->Arg(1)->Arg(0)->UseRealTime();

// Many tasks at a time, queued behind one thread: what a task costs when no
// thread has to be woken for it.
void BM_SubmitMany(benchmark::State& state) {
  const int batch = static_cast<int>(state.range(0));
  BlockingPool pool(
      {.max_threads = 1, .idle_timeout = absl::InfiniteDuration()});
  for (auto _ : state) {
    absl::BlockingCounter done(batch);
    for (int i = 0; i < batch; ++i) {
      const absl::Status accepted =
          pool.Submit([&done] { done.DecrementCount(); });
      TROUPE_CHECK(accepted.ok(), accepted.ToString());
    }
    done.Wait();
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(BM_SubmitMany)->ArgName("batch")->Arg(1'000)->UseRealTime();

}  // namespace
}  // namespace troupe
