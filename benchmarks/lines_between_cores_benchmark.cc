// What the machine takes to move memory from one thread to another: the floor
// under every figure of actors that are forced apart, whatever a runtime does.
//
//   chrt -f 10 bazel-bin/benchmarks/lines_between_cores_benchmark
//
// A message that crosses costs at least the line that it lies in, which its
// receiver reads and its sender writes again when the memory comes back.
// `round_trip` is a word that two threads write in turn. In `batches` one
// thread writes lines and the other reads them, and a word for each batch says
// that it is there, or has been read. In `pushes` every line is pushed to one
// word, from which the reader takes all that is there: the least that a message
// costs which its receiver can see at once.
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <thread>

#include "benchmark/benchmark.h"

namespace troupe {
namespace {

constexpr size_t kLine = 64;

struct alignas(kLine) Word {
  std::atomic<uint64_t> value{0};
};

void AwaitValue(const Word& word, uint64_t value) {
  while (word.value.load(std::memory_order_acquire) != value) {
    __builtin_ia32_pause();
  }
}

Word ball;

void BM_RoundTrip(benchmark::State& state) {
  const uint64_t me = static_cast<uint64_t>(state.thread_index());
  if (me == 0) ball.value.store(0, std::memory_order_relaxed);
  uint64_t turn = me;
  for (auto _ : state) {
    AwaitValue(ball, turn);
    ball.value.store(turn + 1, std::memory_order_release);
    turn += 2;
  }
  // Rallies, not strokes.
  if (me == 0) state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_RoundTrip)->Name("round_trip")->Threads(2)->UseRealTime();

// As many batches are under way as keep both threads busy.
constexpr size_t kBatches = 16;
constexpr size_t kMostLines = 256;

struct alignas(kLine) Block {
  uint64_t content[kLine / sizeof(uint64_t)];
};

struct Batch {
  Word filled;   // By whom it is written: the number of its last filling.
  Word emptied;  // And of its last emptying.
  std::array<Block, kMostLines> blocks;
};

struct Stream {
  std::array<Batch, kBatches> batches;
};
std::unique_ptr<Stream> stream;

void BM_Batches(benchmark::State& state) {
  const size_t lines = static_cast<size_t>(state.range(0));
  if (state.thread_index() == 0) stream = std::make_unique<Stream>();
  uint64_t number = 0;
  uint64_t sum = 0;
  for (auto _ : state) {
    Batch& batch = stream->batches[number % kBatches];
    const uint64_t filling = number / kBatches + 1;
    ++number;
    if (state.thread_index() == 0) {
      AwaitValue(batch.emptied, filling - 1);
      for (size_t i = 0; i < lines; ++i)
        batch.blocks[i].content[0] = number + i;
      batch.filled.value.store(filling, std::memory_order_release);
    } else {
      AwaitValue(batch.filled, filling);
      for (size_t i = 0; i < lines; ++i) sum += batch.blocks[i].content[0];
      batch.emptied.value.store(filling, std::memory_order_release);
    }
  }
  benchmark::DoNotOptimize(sum);
  if (state.thread_index() == 0) {
    state.SetItemsProcessed(state.iterations() * state.range(0));
  }
}
BENCHMARK(BM_Batches)
    ->Name("batches")
    ->ArgName("lines")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64)
    ->Arg(256)
    ->Threads(2)
    ->UseRealTime();

struct alignas(kLine) Node {
  Node* next;
  uint64_t content;
};

constexpr size_t kNodes = 4096;

struct Stack {
  alignas(kLine) std::atomic<Node*> newest{nullptr};
  // How many the reader has read: by turns, not one by one.
  Word read;
  std::array<Node, kNodes> nodes;
};

void PushAll(Stack& to, uint64_t count) {
  uint64_t known_read = 0;
  for (uint64_t i = 0; i < count; ++i) {
    while (i - known_read >= kNodes) {
      known_read = to.read.value.load(std::memory_order_acquire);
    }
    Node& node = to.nodes[i % kNodes];
    node.content = i;
    node.next = to.newest.load(std::memory_order_relaxed);
    while (!to.newest.compare_exchange_weak(node.next, &node,
                                            std::memory_order_release,
                                            std::memory_order_relaxed)) {
    }
  }
}

uint64_t ReadAll(Stack& from, uint64_t count) {
  uint64_t sum = 0;
  for (uint64_t seen = 0; seen < count;) {
    if (from.newest.load(std::memory_order_relaxed) == nullptr) {
      __builtin_ia32_pause();
      continue;
    }
    for (Node* node = from.newest.exchange(nullptr, std::memory_order_acquire);
         node != nullptr; node = node->next) {
      sum += node->content;
      ++seen;
    }
    from.read.value.store(seen, std::memory_order_release);
  }
  return sum;
}

void BM_Pushes(benchmark::State& state) {
  const uint64_t count = static_cast<uint64_t>(state.range(0));
  for (auto _ : state) {
    Stack both;
    std::thread reader([&] { benchmark::DoNotOptimize(ReadAll(both, count)); });
    PushAll(both, count);
    reader.join();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Pushes)->Name("pushes")->Arg(10'000'000)->UseRealTime();

}  // namespace
}  // namespace troupe
