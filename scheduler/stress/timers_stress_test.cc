// Cells that set, move and cancel their timers at random, on workers that
// sleep, are busy, and lose their threads, while the cells are claimed and
// given away. Each goes on from timer to timer: where one is lost, the test
// hangs.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/ownership.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCell;
using internal::TestMessage;
using internal::TestOutbox;
using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

constexpr int kSharedCells = 24;
constexpr int kDedicatedCells = 4;
constexpr int kCells = kSharedCells + kDedicatedCells;
constexpr int kTimersEach = 60;

class Crowd {
 public:
  Crowd(ThreadExecutor& executor, uint64_t seed)
      : executor_(executor), busy_(kCells) {
    members_.reserve(kCells);
    for (int i = 0; i < kCells; ++i) members_.emplace_back(*this, i, seed);
  }

  void Start(Worker& dedicated) {
    for (int i = 0; i < kCells; ++i) {
      TestCell& cell = *members_[i].cell;
      if (i < kSharedCells) {
        cell.set_claimable(i % 4 != 0);
        cell.Start(executor_);
      } else {
        cell.StartOn(dedicated);
      }
      cell.Send({});
    }
  }
  void AwaitAll() { busy_.Wait(); }

  int64_t early() const { return early_.load(); }
  int64_t moves() const { return moves_.load(); }

 private:
  // What only the handler of the cell touches.
  struct Member {
    Member(Crowd& crowd, int its_index, uint64_t seed)
        : index(its_index),
          random(seed * kCells + its_index),
          cell(std::make_unique<TestCell>(
              absl::StrCat("cell-", its_index),
              [&crowd, its_index](TestCell&, const TestMessage& message) {
                crowd.Handle(crowd.members_[its_index], message);
              })) {}

    int index;
    Random random;
    int fired = 0;
    const Worker* seen_on = nullptr;
    std::unique_ptr<TestCell> cell;
  };

  void Handle(Member& member, const TestMessage& message) {
    if (member.seen_on != this_thread.worker) moves_.fetch_add(1);
    member.seen_on = this_thread.worker;
    if (message.from == TestCell::kTimer) {
      const absl::Duration tick = absl::Milliseconds(1) * message.sequence;
      if (RealClock().Now() < MonotonicTime() + tick) early_.fetch_add(1);
      if (++member.fired == kTimersEach) busy_.DecrementCount();
    }
    const bool disturbs_before = member.random.Bernoulli(0.5);
    if (disturbs_before) DisturbSometimes(member);
    // One that has had its timers ends without one.
    if (member.fired < kTimersEach) {
      if (member.random.Bernoulli(0.3)) member.cell->CancelTimer();
      SetTimer(member);
      if (member.random.Bernoulli(0.2)) SetTimer(member);
    } else {
      member.cell->CancelTimer();
    }
    const int64_t hops =
        message.from == TestCell::kTimer ? 4 : message.value - 1;
    if (hops > 0) {
      members_[member.random.Uniform(kCells)].cell->Send({.value = hops});
    }
    if (!disturbs_before) DisturbSometimes(member);
  }

  void SetTimer(Member& member) {
    // Seldom so late that it must be moved to come in time.
    const absl::Duration delay =
        member.random.Bernoulli(0.02)
            ? absl::Milliseconds(100)
            : absl::Microseconds(member.random.Uniform(4'000));
    member.cell->SetTimer(RealClock().Now() + delay);
  }

  void DisturbSometimes(Member& member) {
    switch (member.random.Uniform(150)) {
      case 0:
        if (member.index < kSharedCells) {
          while (this_thread.seat.tag() != OwnerTag::kNoSeat) {
            std::this_thread::yield();
          }
        }
        return;
      case 1:
      case 2:
      case 3:
      case 4:
        executor_.GiveUpSeat();
        return;
      case 5:
      case 6: {
        const MonotonicTime end = RealClock().Now() + absl::Microseconds(100);
        while (RealClock().Now() < end) {
        }
        return;
      }
    }
  }

  ThreadExecutor& executor_;
  std::vector<Member> members_;
  absl::BlockingCounter busy_;
  std::atomic<int64_t> early_{0};
  std::atomic<int64_t> moves_{0};
};

TEST(TimersStressTest, FireWhateverMovesAndNeverEarly) {
  for (const uint64_t seed : TestSeeds(3)) {
    SCOPED_TRACE(SeedTrace(seed));
    auto executor = ThreadExecutor::Create({.workers = 3});
    ASSERT_THAT(executor, IsOk());
    (*executor)->SetLocals(TestOutbox::Make);
    const absl::StatusOr<Worker*> dedicated =
        (*executor)->StartDedicatedWorker("own");
    ASSERT_THAT(dedicated, IsOk());
    Crowd crowd(**executor, seed);
    crowd.Start(**dedicated);
    crowd.AwaitAll();

    // Nothing is pending, or the workers' ends fail.
    EXPECT_THAT((*executor)->Shutdown(), IsOk());
    executor->reset();
    EXPECT_EQ(crowd.early(), 0);
    EXPECT_GT(crowd.moves(), kCells);
  }
}

}  // namespace
}  // namespace troupe
