// What does a handler pay for being a coroutine: its frame, a resumption, a
// co_await of another? In isolation: for a regression check, no claim about a
// system.

#include <coroutine>
#include <cstdint>
#include <utility>

#include "benchmark/benchmark.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

// Not inlined, as a handler is not that is reached through a table.
[[gnu::noinline]] Task<int> Give(int value) { co_return value; }

template <typename T>
T RunToEnd(Task<T> task) {
  const auto root = task.Release();
  internal::RunCoroutine(root);
  T result = root.promise().TakeResult();
  root.destroy();
  return result;
}

// The floor: a handler that is a coroutine and never waits.
void BM_CreateRunDestroy(benchmark::State& state) {
  int64_t sum = 0;
  for (auto _ : state) sum += RunToEnd(Give(1));
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CreateRunDestroy);

[[gnu::noinline]] Task<int> SuspendForEver() {
  for (;;) co_await std::suspend_always();
}

// From outside, as an answer does that arrives; to the next suspension.
void BM_Resume(benchmark::State& state) {
  const auto root = SuspendForEver().Release();
  for (auto _ : state) internal::RunCoroutine(root);
  root.destroy();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Resume);

// The same without our loop.
void BM_ResumeBare(benchmark::State& state) {
  const auto root = SuspendForEver().Release();
  for (auto _ : state) root.resume();
  root.destroy();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ResumeBare);

constexpr int kAwaits = 1000;

[[gnu::noinline]] Task<int> AwaitMany() {
  int sum = 0;
  for (int i = 0; i < kAwaits; ++i) sum += co_await Give(1);
  co_return sum;
}

// A child that ends at once: its frame, and there and back.
void BM_AwaitChildThatEndsAtOnce(benchmark::State& state) {
  int64_t sum = 0;
  for (auto _ : state) sum += RunToEnd(AwaitMany());
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * kAwaits);
}
BENCHMARK(BM_AwaitChildThatEndsAtOnce);

[[gnu::noinline]] Task<int> WaitOnce(std::coroutine_handle<>& waiter) {
  struct Wait {
    explicit Wait(std::coroutine_handle<>& w) : waiter(w) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> handle) { waiter = handle; }
    void await_resume() const {}
    std::coroutine_handle<>& waiter;
  };
  co_await Wait(waiter);
  co_return 1;
}
[[gnu::noinline]] Task<int> WaitForEver(std::coroutine_handle<>& waiter) {
  for (;;) co_await WaitOnce(waiter);
}

// A child that waits for something from outside: its frame, two returns to the
// loop, and the resumption.
void BM_AwaitChildThatWaits(benchmark::State& state) {
  std::coroutine_handle<> waiter;
  const auto root = WaitForEver(waiter).Release();
  internal::RunCoroutine(root);
  for (auto _ : state) internal::RunCoroutine(waiter);
  root.destroy();
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AwaitChildThatWaits);

[[gnu::noinline]] Task<int> Descend(int depth) {
  if (depth == 0) co_return 0;
  co_return 1 + co_await Descend(depth - 1);
}

// For each level of a recursion. Up to CoroutineRun::kMaxNesting all is done on
// the stack; the rest goes through the loop.
void BM_AwaitInRecursion(benchmark::State& state) {
  const int depth = static_cast<int>(state.range(0));
  int64_t sum = 0;
  for (auto _ : state) sum += RunToEnd(Descend(depth));
  benchmark::DoNotOptimize(sum);
  state.SetItemsProcessed(state.iterations() * depth);
}
BENCHMARK(BM_AwaitInRecursion)->ArgName("depth")->Arg(8)->Arg(32)->Arg(256);

}  // namespace
}  // namespace troupe
