// What does a message through a mailbox without a limit cost? For comparison
// with bounded_queue_benchmark and blocking_mailbox_benchmark, which lock.

#include <cstdint>

#include "benchmark/benchmark.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/mailbox.h"

namespace troupe {
namespace {

void DestroyAll(Lanes& lanes) {
  while (!lanes.empty()) DestroyEnvelope(lanes.Pop());
}

// Pushes `batch` envelopes as a stranger does, then receives them all and puts
// the token back. No contention: the floor.
void BM_PushThenReceive(benchmark::State& state) {
  const int64_t batch = state.range(0);
  Mailbox mailbox;
  Lanes lanes;
  mailbox.Open(/*token_inside=*/true);
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) {
      benchmark::DoNotOptimize(
          mailbox.Push(mailbox.Load(), MakeEnvelope<int64_t>(i)));
    }
    mailbox.Drain(/*target=*/0, lanes,
                  [](Envelope* envelope, bool) { DestroyEnvelope(envelope); });
    DestroyAll(lanes);
    benchmark::DoNotOptimize(mailbox.Arm());
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(BM_PushThenReceive)->ArgName("batch")->Arg(1)->Arg(64)->Arg(1024);

// The same by the owner, who needs no atomic operation.
void BM_AppendThenReceive(benchmark::State& state) {
  const int64_t batch = state.range(0);
  Lanes lanes;
  for (auto _ : state) {
    for (int64_t i = 0; i < batch; ++i) {
      lanes.Append(MakeEnvelope<int64_t>(i));
    }
    DestroyAll(lanes);
  }
  state.SetItemsProcessed(state.iterations() * batch);
}
BENCHMARK(BM_AppendThenReceive)->ArgName("batch")->Arg(1)->Arg(64)->Arg(1024);

}  // namespace
}  // namespace troupe
