// Shutdown() from several threads while closures post closures, some of which
// block, and while dedicated workers are started. Whoever's call returns finds
// all done.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/barrier.h"
#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/internal/thread_testing.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestThreadFactory;
using testing::IsOk;
using testing::SeedTrace;
using testing::StatusIs;
using testing::TestSeeds;

constexpr int kTrees = 8;
constexpr int kDepth = 6;
constexpr int64_t kClosures = kTrees * ((int64_t{1} << (kDepth + 1)) - 1);
constexpr int kCallers = 3;

class Forest {
 public:
  Forest(ThreadExecutor& executor, Worker& dedicated, uint64_t seed)
      : executor_(executor), dedicated_(dedicated), seed_(seed) {}

  // Some closures go to the dedicated worker and return from there.
  void Grow(int depth, uint64_t path) {
    auto closure = [this, depth, path] {
      Random random(seed_ + path);
      if (random.Bernoulli(0.02)) BlockUntilTakenOver();
      ran_.fetch_add(1);
      if (depth == 0) return;
      Grow(depth - 1, 2 * path);
      Grow(depth - 1, 2 * path + 1);
    };
    if (path % 7 == 0) {
      Post(dedicated_, closure);
    } else {
      Post(executor_, closure);
    }
  }

  int64_t ran() const { return ran_.load(); }

 private:
  void BlockUntilTakenOver() {
    if (this_thread.worker->kind() == Worker::Kind::kDedicated) return;
    // Not by counting take-overs: this one may have come already.
    while (this_thread.seat.tag() != OwnerTag::kNoSeat) {
      std::this_thread::yield();
    }
  }

  ThreadExecutor& executor_;
  Worker& dedicated_;
  const uint64_t seed_;
  std::atomic<int64_t> ran_{0};
};

TEST(ShutdownStressTest, ReturnsToEveryCallerWhenAllIsDone) {
  for (const uint64_t seed : TestSeeds(30)) {
    SCOPED_TRACE(SeedTrace(seed));
    TestThreadFactory threads;
    auto executor = ThreadExecutor::Create({.workers = 2, .threads = &threads});
    ASSERT_THAT(executor, IsOk());
    const absl::StatusOr<Worker*> dedicated =
        (*executor)->StartDedicatedWorker("own");
    ASSERT_THAT(dedicated, IsOk());
    Forest forest(**executor, **dedicated, seed);
    for (uint64_t tree = 0; tree < kTrees; ++tree) {
      forest.Grow(kDepth, (uint64_t{1} << 32) * (tree + 1));
    }
    std::vector<std::thread> callers;
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&] {
        EXPECT_THAT((*executor)->Shutdown(), IsOk());
        EXPECT_EQ(forest.ran(), kClosures);
        EXPECT_EQ(threads.unjoined(), 0);
      });
    }
    // Those that it is too late for start nothing.
    std::thread starter([&] {
      while ((*executor)->StartDedicatedWorker("late").ok()) {
        std::this_thread::yield();
      }
      EXPECT_THAT((*executor)->StartDedicatedWorker("too late"),
                  StatusIs(absl::StatusCode::kFailedPrecondition));
    });
    for (std::thread& caller : callers) caller.join();
    starter.join();
  }
}

// A thread may have been given the memory of one that has ended.
TEST(ShutdownStressTest, ThreadsThatComeLaterAreNotTakenForEarlierOnes) {
  auto executor = ThreadExecutor::Create({.workers = 2});
  ASSERT_THAT(executor, IsOk());
  ASSERT_THAT((*executor)->Shutdown(), IsOk());
  absl::Barrier* const all = new absl::Barrier(8);
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&, all] {
      EXPECT_THAT((*executor)->Shutdown(), IsOk());
      if (all->Block()) delete all;  // All were there at the same time.
    });
  }
  for (std::thread& caller : callers) caller.join();
}

}  // namespace
}  // namespace troupe
