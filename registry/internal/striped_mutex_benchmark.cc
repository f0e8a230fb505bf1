// What a lookup of one name among 1,000 costs under a lock that all share, and
// under one for each processor: on one thread, and on each of two.
//
//   ./bazelw run --config=opt //registry:striped_mutex_benchmark
#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/registry/internal/striped_mutex.h"

namespace troupe::internal {
namespace {

constexpr size_t kNames = 1000;

std::string Name(size_t i) { return absl::StrCat("worker-", 1000 + i); }

struct NoLock {};
struct NoReaderLock {
  explicit NoReaderLock(NoLock&) {}
};
// Those of Abseil take a pointer.
struct Exclusive {
  explicit Exclusive(absl::Mutex& mu) : lock(&mu) {}
  absl::MutexLock lock;
};
struct Shared {
  explicit Shared(absl::Mutex& mu) : lock(&mu) {}
  absl::ReaderMutexLock lock;
};

// The names and their lock, of all threads.
template <typename Mutex>
struct Names {
  Names() {
    for (size_t i = 0; i < kNames; ++i) table[Name(i)] = static_cast<int>(i);
  }
  Mutex mu;
  absl::flat_hash_map<std::string, int> table;
};

template <typename Mutex, typename Lock>
void BM_Lookup(benchmark::State& state) {
  static Names<Mutex>& names = *new Names<Mutex>();
  std::vector<std::string> wanted;
  for (size_t i = 0; i < kNames; ++i) wanted.push_back(Name(i));
  size_t next = 0;
  for (auto _ : state) {
    const Lock lock(names.mu);
    benchmark::DoNotOptimize(names.table.find(wanted[next])->second);
    next = next + 1 == kNames ? 0 : next + 1;
  }
}

BENCHMARK(BM_Lookup<NoLock, NoReaderLock>)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(BM_Lookup<absl::Mutex, Exclusive>)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(BM_Lookup<absl::Mutex, Shared>)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(BM_Lookup<StripedMutex, StripedReaderLock>)
    ->ThreadRange(1, 2)
    ->UseRealTime();

}  // namespace
}  // namespace troupe::internal

// Debian's Abseil looks for deadlocks at each lock unless a program's main says
// otherwise, which would be most of the price.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
