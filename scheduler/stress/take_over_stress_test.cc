// Handlers that do not return while others of their worker have something to
// do. A handler here returns only after those others have run: where a
// take-over is lost, the test hangs.
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCell;
using internal::TestMessage;
using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

// Cells of which one in each round waits for all others.
class RoundsWithABlocker {
 public:
  static constexpr int kCells = 12;

  explicit RoundsWithABlocker(ThreadExecutor& executor) {
    for (int i = 0; i < kCells; ++i) {
      cells_.push_back(std::make_unique<TestCell>(
          absl::StrCat("cell-", i),
          [this, i](TestCell&, const TestMessage& message) {
            if (message.sequence != handled_[i]++) out_of_order_.fetch_add(1);
            if (message.value == i) {
              others_->Wait();
            } else {
              others_->DecrementCount();
            }
            all_->DecrementCount();
          }));
      cells_.back()->Start(executor);
    }
  }

  void Play(uint64_t round, int blocker) {
    others_ = std::make_unique<absl::BlockingCounter>(kCells - 1);
    all_ = std::make_unique<absl::BlockingCounter>(kCells);
    for (const auto& cell : cells_) {
      cell->Send({.sequence = round, .value = blocker});
    }
    all_->Wait();
  }

  int out_of_order() const { return out_of_order_.load(); }

 private:
  std::unique_ptr<absl::BlockingCounter> others_, all_;
  // Plain: a cell handles one message at a time, and each sees the last.
  uint64_t handled_[kCells] = {};
  std::atomic<int> out_of_order_{0};
  std::vector<std::unique_ptr<TestCell>> cells_;
};

// §19.
TEST(TakeOverStressTest, RunsAllOthersWhileOneBlocks) {
  for (const uint64_t seed : TestSeeds(3)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    for (const int workers : {1, 3}) {
      auto executor = ThreadExecutor::Create({.workers = workers});
      ASSERT_THAT(executor, IsOk());
      RoundsWithABlocker rounds(**executor);
      for (uint64_t round = 0; round < 60; ++round) {
        rounds.Play(round, static_cast<int>(
                               random.Uniform(RoundsWithABlocker::kCells)));
      }
      // With others, all might have been elsewhere.
      EXPECT_TRUE(workers > 1 || (*executor)->take_overs() > 0);
      EXPECT_THAT((*executor)->Shutdown(), IsOk());
      EXPECT_EQ(rounds.out_of_order(), 0);
    }
  }
}

// §19, with as many blocked at a time as there are: each needs a thread, all
// come back at once, and most of their threads end.
TEST(TakeOverStressTest, FindsAThreadForEachThatBlocks) {
  constexpr int kBlockers = 16;
  auto executor = ThreadExecutor::Create({.workers = 1});
  ASSERT_THAT(executor, IsOk());
  for (int round = 0; round < 10; ++round) {
    absl::Notification last_began;
    absl::BlockingCounter ended(kBlockers);
    for (int i = 0; i < kBlockers; ++i) {
      Post(**executor, [&] {
        last_began.WaitForNotification();
        ended.DecrementCount();
      });
    }
    Post(**executor, [&] { last_began.Notify(); });
    ended.Wait();
  }
  EXPECT_GE((*executor)->take_overs(), 10u * kBlockers);
}

// §19. Where a handler gives its seat up by itself, others need not wait for
// the monitor, nor for its being there at all.
TEST(TakeOverStressTest, LetsOthersRunOnceASeatIsGivenUp) {
  constexpr int kRounds = 300;
  constexpr int kBlockers = 3;
  auto executor = ThreadExecutor::Create(
      {.workers = 2, .take_over_after = absl::InfiniteDuration()});
  ASSERT_THAT(executor, IsOk());
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<int> others{4};
    absl::Notification others_ran;
    absl::BlockingCounter ended(kBlockers);
    for (int i = 0; i < kBlockers; ++i) {
      Post(**executor, [&] {
        (*executor)->GiveUpSeat();
        others_ran.WaitForNotification();
        ended.DecrementCount();
      });
    }
    for (int i = others.load(); i > 0; --i) {
      Post(**executor, [&] {
        if (others.fetch_sub(1) == 1) others_ran.Notify();
      });
    }
    ended.Wait();
  }
  EXPECT_THAT((*executor)->Shutdown(), IsOk());
  EXPECT_EQ((*executor)->take_overs(),
            static_cast<uint64_t>(kRounds * kBlockers));
}

}  // namespace
}  // namespace troupe
