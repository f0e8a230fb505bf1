// What does an envelope's memory cost: taken and given back by one thread, and
// taken here and given back there? The heap's figures stand beside as the
// yardstick. In isolation: for a regression check, no claim about a system.

#include <cstddef>
#include <cstdint>
#include <new>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/mailbox/envelope_pool.h"

namespace troupe {
namespace {

constexpr uint8_t kSmall = EnvelopePool::ClassOf(64);

struct FromPool {
  static void* Allocate() { return EnvelopePool::Allocate(kSmall); }
  static void Free(void* block) { EnvelopePool::Free(block, kSmall); }
};

struct FromHeap {
  static void* Allocate() { return ::operator new(64); }
  static void Free(void* block) { ::operator delete(block); }
};

// Takes `in_flight` blocks, then gives them back in the order taken. One block
// is the floor; up to 128 stay in the thread's cache; the largest figure is a
// flooded mailbox that is emptied again.
template <typename Source>
void BM_TakeThenGiveBack(benchmark::State& state) {
  const int64_t in_flight = state.range(0);
  std::vector<void*> blocks(in_flight);
  for (auto _ : state) {
    for (void*& block : blocks) {
      block = Source::Allocate();
      // As its next user would: the first touch belongs to the price.
      *static_cast<volatile char*>(block) = 1;
    }
    for (void* block : blocks) Source::Free(block);
  }
  state.SetItemsProcessed(state.iterations() * in_flight);
}
BENCHMARK_TEMPLATE(BM_TakeThenGiveBack, FromPool)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(64)
    ->Arg(1024)
    ->Arg(1 << 20);
BENCHMARK_TEMPLATE(BM_TakeThenGiveBack, FromHeap)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(64)
    ->Arg(1024)
    ->Arg(1 << 20);

// Carries batches of blocks to a thread that frees them.
template <typename Source>
class FreeingThread {
 public:
  FreeingThread() : thread_([this] { Run(); }) {}
  ~FreeingThread() {
    {
      absl::MutexLock lock(&mu_);
      done_ = true;
    }
    thread_.join();
  }

  // Swaps the batch for one whose blocks have been freed, as soon as the
  // thread is through with the one before.
  void Exchange(std::vector<void*>& batch) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(
        +[](bool* full) { return !*full; }, &full_));
    batch_.swap(batch);
    full_ = true;
  }

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<void*> batch;
    while (true) {
      {
        absl::MutexLock lock(&mu_);
        mu_.Await(absl::Condition(this, &FreeingThread::HasWork));
        if (!full_) return;
        batch.swap(batch_);
        full_ = false;
      }
      for (void* block : batch) Source::Free(block);
    }
  }
  bool HasWork() const ABSL_SHARED_LOCKS_REQUIRED(mu_) {
    return full_ || done_;
  }

  absl::Mutex mu_;
  std::vector<void*> batch_ ABSL_GUARDED_BY(mu_);
  bool full_ ABSL_GUARDED_BY(mu_) = false;
  bool done_ ABSL_GUARDED_BY(mu_) = false;
  std::thread thread_;
};

// Takes blocks here and gives them back on another thread. Real time: the two
// threads work side by side, and the slower one decides.
template <typename Source>
void BM_TakeHereGiveBackThere(benchmark::State& state) {
  constexpr size_t kBatch = 4096;
  FreeingThread<Source> other;
  std::vector<void*> batch;
  for (auto _ : state) {
    batch.resize(kBatch);
    for (void*& block : batch) {
      block = Source::Allocate();
      *static_cast<volatile char*>(block) = 1;
    }
    other.Exchange(batch);
  }
  state.SetItemsProcessed(state.iterations() * kBatch);
}
BENCHMARK_TEMPLATE(BM_TakeHereGiveBackThere, FromPool)->UseRealTime();
BENCHMARK_TEMPLATE(BM_TakeHereGiveBackThere, FromHeap)->UseRealTime();

}  // namespace
}  // namespace troupe
