// What the steps of executors cost: for a regression check, and to decide how
// small a piece of work may be that is worth a turn, a move or a wake.
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/worker_testing.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe {
namespace {

using internal::IdleExecutor;
using internal::MakeWorker;
using internal::Seated;

std::unique_ptr<ThreadExecutor> Threads(int workers) {
  return ThreadExecutor::Create({.workers = workers}).value();
}

// Takes turns until a count is used up.
struct Spinner : Runnable {
  explicit Spinner(int64_t turns_to_take) : turns(turns_to_take) {
    type = &kType;
  }

  static bool Run(Runnable& runnable, Worker& worker) {
    auto& spinner = static_cast<Spinner&>(runnable);
    if (--spinner.turns > 0) {
      worker.Yield(spinner);
      return true;
    }
    spinner.queue_next = nullptr;
    spinner.done.Notify();
    return true;
  }
  static const RunnableType kType;

  int64_t turns;
  absl::Notification done;
};

const RunnableType Spinner::kType = {
    .run = Run,
    .woken = [](Runnable&, Worker&) { return true; },
    .returned = [](Runnable&, Worker&) { return false; },
    .release = [](Runnable&, Worker&) { return true; },
    .name = [](const Runnable&) { return std::string("spinner"); },
};

// What does a turn cost that does nothing, on a thread that drives its worker?
void BM_Turn(benchmark::State& state) {
  constexpr int64_t kTurns = 1'000'000;
  const auto executor = Threads(1);
  for (auto _ : state) {
    Spinner spinner(kTurns);
    executor->Inject(spinner);
    spinner.done.WaitForNotification();
  }
  state.SetItemsProcessed(state.iterations() * kTurns);
}
BENCHMARK(BM_Turn)->UseRealTime();

void PostChain(Executor& executor, int64_t left, Event& done) {
  Post(executor, [&executor, left, &done] {
    if (left == 0) {
      done.Set();
    } else {
      PostChain(executor, left - 1, done);
    }
  });
}

// And a closure that a turn posts, with its allocation and its own turn?
void BM_PostInTurn(benchmark::State& state) {
  constexpr int64_t kClosures = 1'000'000;
  const auto executor = Threads(1);
  for (auto _ : state) {
    Event done;
    PostChain(*executor, kClosures - 1, done);
    (void)executor->WaitFor(done, MonotonicTime::InfiniteFuture());
  }
  state.SetItemsProcessed(state.iterations() * kClosures);
}
BENCHMARK(BM_PostInTurn)->UseRealTime();

// And one from outside, while the worker has no time to sleep? The thread that
// posts and the one that runs are two, so that the slower of them is measured.
void BM_PostFromOutside(benchmark::State& state) {
  constexpr int kClosures = 10'000;
  const auto executor = Threads(1);
  for (auto _ : state) {
    // Atomic: a closure that is pre-empted for a millisecond is taken for one
    // that blocks, and others run beside it.
    std::atomic<int> left{kClosures};
    Event done;
    for (int i = 0; i < kClosures; ++i) {
      Post(*executor, [&left, &done] {
        if (left.fetch_sub(1, std::memory_order_relaxed) == 1) done.Set();
      });
    }
    (void)executor->WaitFor(done, MonotonicTime::InfiniteFuture());
  }
  state.SetItemsProcessed(state.iterations() * kClosures);
}
BENCHMARK(BM_PostFromOutside)->UseRealTime();

// How long after it was posted does a closure begin, on a worker that sleeps
// (asleep:1), or that still looks for deliveries (asleep:0)? The first is what
// work must be worth to be given to another thread.
void BM_PostToBegin(benchmark::State& state) {
  const bool asleep = state.range(0) == 1;
  const auto executor = Threads(1);
  Worker& worker = executor->shared_worker(0);
  const Clock& clock = executor->clock();
  for (auto _ : state) {
    // A closure before it, so that the worker is awake, and then at rest.
    Event before;
    Post(worker, [&before] { before.Set(); });
    (void)executor->WaitFor(before, MonotonicTime::InfiniteFuture());
    while (asleep ? !worker.LooksAsleep()
                  : !worker.LooksQuiet() && !worker.LooksAsleep()) {
      std::this_thread::yield();
    }
    MonotonicTime began;
    Event ran;
    const MonotonicTime posted = clock.Now();
    Post(worker, [&] {
      began = clock.Now();
      ran.Set();
    });
    (void)executor->WaitFor(ran, MonotonicTime::InfiniteFuture());
    state.SetIterationTime(absl::ToDoubleSeconds(began - posted));
  }
}
BENCHMARK(BM_PostToBegin)->ArgName("asleep")->Arg(0)->Arg(1)->UseManualTime();

// Stays where it is, and is idle.
struct Idler : Runnable {
  Idler() { type = &kType; }
  static const RunnableType kType;
};

const RunnableType Idler::kType = {
    .run = nullptr,  // It never has a turn.
    .woken = [](Runnable&, Worker&) { return false; },
    .returned = nullptr,
    .release = [](Runnable&, Worker&) { return true; },
    .name = [](const Runnable&) { return std::string("idler"); },
};

// What does it cost to give a runnable to another worker, which receives it?
// One thread plays both, so this is without the cache misses.
void BM_HandOver(benchmark::State& state) {
  IdleExecutor executor;
  const auto one = MakeWorker(executor);
  const auto other = MakeWorker(executor);
  Idler idler;
  const Seated seated(*one);
  one->AdoptNew(idler, /*reached=*/false);
  Worker* giver = one.get();
  Worker* receiver = other.get();
  for (auto _ : state) {
    giver->GiveTo(*receiver, idler);
    receiver->Poll();
    std::swap(giver, receiver);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_HandOver);

// What does it cost to claim an idle runnable out of a quiet worker, instead of
// waking that one? With the rest and rise of the workers between which it goes.
void BM_Claim(benchmark::State& state) {
  IdleExecutor executor;
  const auto one = MakeWorker(executor);
  const auto other = MakeWorker(executor);
  Idler idler;
  one->AdoptNew(idler, /*reached=*/false);
  Worker* owner = one.get();
  Worker* claimer = other.get();
  for (auto _ : state) {
    TROUPE_CHECK(owner->Rest(), "nothing was delivered");
    TROUPE_CHECK(claimer->Claim(idler), "the owner is quiet");
    (void)owner->Rise();
    std::swap(owner, claimer);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Claim);

// The floor of every wake: what does it cost that one thread wakes another and
// is woken by it in turn?
void BM_ThreadToThread(benchmark::State& state) {
  absl::Mutex mu;
  bool ball = false;
  bool stop = false;
  std::thread partner([&] {
    absl::MutexLock lock(&mu);
    while (true) {
      mu.Await(absl::Condition(&ball));
      ball = false;
      if (stop) return;
    }
  });
  const auto returned = [&ball] { return !ball; };
  for (auto _ : state) {
    absl::MutexLock lock(&mu);
    ball = true;
    mu.Await(absl::Condition(&returned));
  }
  {
    absl::MutexLock lock(&mu);
    ball = stop = true;
  }
  partner.join();
}
BENCHMARK(BM_ThreadToThread)->UseRealTime();

}  // namespace
}  // namespace troupe
