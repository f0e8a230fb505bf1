// What does a message between two threads cost, and what a wake? Compare with
// bounded_queue_benchmark: the same queue without the urgent lane and the wait.

#include <cstdint>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "benchmark/benchmark.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/blocking_mailbox.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {
namespace {

constexpr MonotonicTime kNever = MonotonicTime::InfiniteFuture();

// Sends `batch` messages, then receives them all. No contention: the floor.
void BM_SendThenReceive(benchmark::State& state) {
  const int64_t batch = state.range(0);
  BlockingMailbox mailbox;
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(mailbox.Send<int64_t>(i));
    }
    while (mailbox.TryReceive() != nullptr) {
    }
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(BM_SendThenReceive)->ArgName("batch")->Arg(1)->Arg(64)->Arg(1024);

void BM_SendUrgentThenReceive(benchmark::State& state) {
  BlockingMailbox mailbox;
  for (auto _ : state) {
    benchmark::DoNotOptimize(mailbox.SendUrgent<int64_t>(1));
    benchmark::DoNotOptimize(mailbox.TryReceive());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SendUrgentThenReceive);

// A refusal builds a text: what a sender pays that does not wait.
void BM_SendToFullMailbox(benchmark::State& state) {
  BlockingMailbox mailbox(
      {.capacity = {.messages = 1, .policy = OverflowPolicy::kReject}});
  mailbox.Send<int64_t>(1).IgnoreError();
  for (auto _ : state) {
    benchmark::DoNotOptimize(mailbox.Send<int64_t>(1));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SendToFullMailbox);

// A thread sends what this one receives, each as fast as the other allows: the
// sender waits when `capacity` messages are under way, the receiver when there
// is none. Real time: the slower side decides.
void BM_SendToAnotherThread(benchmark::State& state) {
  BlockingMailbox mailbox(
      {.capacity = {.messages = static_cast<uint64_t>(state.range(0))}});
  std::thread sender([&] {
    while (mailbox.SendWithDeadline<int64_t>(kNever, 1).ok()) {
    }
  });
  for (auto _ : state) benchmark::DoNotOptimize(mailbox.Receive(kNever));
  mailbox.Close();
  sender.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SendToAnotherThread)
    ->ArgName("capacity")
    ->Arg(1)
    ->Arg(64)
    ->Arg(4096)
    ->UseRealTime();

// One message there and one back: two wakes, each of a thread that sleeps.
void BM_RoundTrip(benchmark::State& state) {
  BlockingMailbox there;
  BlockingMailbox back;
  std::thread echo([&] {
    while (there.Receive(kNever).ok()) back.Send<int64_t>(1).IgnoreError();
  });
  for (auto _ : state) {
    there.Send<int64_t>(1).IgnoreError();
    benchmark::DoNotOptimize(back.Receive(kNever));
  }
  there.Close();
  echo.join();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RoundTrip)->UseRealTime();

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
