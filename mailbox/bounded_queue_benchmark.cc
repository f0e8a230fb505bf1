// What does a limit cost? One lock for each push and each pop; compare with
// BM_PushThenReceive of mailbox_benchmark, which has no limit and no lock.

#include <cstdint>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe {
namespace {

// Pushes `batch` envelopes, then pops them all. No contention: the floor.
void BM_PushThenPop(benchmark::State& state) {
  const int64_t batch = state.range(0);
  BoundedQueue queue;
  queue.Open({.messages = 1024, .bytes = 1 << 20}, 0);
  for (auto _ : state) {
    EnvelopeList dropped;
    for (int64_t i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(queue.Push(MakeEnvelope<int64_t>(i), dropped));
    }
    while (Envelope* envelope = queue.Pop()) DestroyEnvelope(envelope);
  }
  state.SetItemsProcessed(state.iterations() * batch);
  queue.Close();
}
BENCHMARK(BM_PushThenPop)->ArgName("batch")->Arg(1)->Arg(64)->Arg(1024);

// A full queue that drops the oldest one for each new one.
void BM_PushDroppingTheOldest(benchmark::State& state) {
  BoundedQueue queue;
  queue.Open({.messages = 64, .policy = OverflowPolicy::kDropOldest}, 0);
  for (auto _ : state) {
    EnvelopeList dropped;
    benchmark::DoNotOptimize(queue.Push(MakeEnvelope<int64_t>(1), dropped));
  }
  state.SetItemsProcessed(state.iterations());
  queue.Close();
}
BENCHMARK(BM_PushDroppingTheOldest);

// A thread sends what this one receives, each of them as fast as the other
// allows: the sender waits when `capacity` messages are under way, the receiver
// looks again and again. Real time: the slower side decides.
void BM_SendToAnotherThread(benchmark::State& state) {
  BoundedQueue queue;
  queue.Open({.messages = static_cast<uint64_t>(state.range(0))}, 0);
  std::thread sender([&] {
    EnvelopeList dropped;
    while (true) {
      EnvelopePtr envelope(MakeEnvelope<int64_t>(1));
      if (queue.PushWithDeadline(envelope.get(), RealClock(),
                                 MonotonicTime::InfiniteFuture(),
                                 dropped) == Admission::kClosed) {
        return;
      }
      envelope.release();
    }
  });
  for (auto _ : state) {
    Envelope* envelope;
    while ((envelope = queue.Pop()) == nullptr) {
    }
    DestroyEnvelope(envelope);
  }
  queue.Close();
  sender.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SendToAnotherThread)
    ->ArgName("capacity")
    ->Arg(1)
    ->Arg(64)
    ->Arg(4096)
    ->UseRealTime();

}  // namespace
}  // namespace troupe

// Not BENCHMARK_MAIN(): Debian's Abseil looks for deadlocks at each lock unless
// a program's main says otherwise, which would be three quarters of the price.
int main(int argc, char** argv) {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
