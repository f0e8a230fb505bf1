// Cells on shared and dedicated workers that send to each other at random,
// while everything moves that can: handlers that block until their worker has
// another thread, that give their seat up, or that run for so long that their
// worker shares what it has; claims of idle cells; and threads from outside.
// Checked: the order of each pair, and that no message is lost or comes twice.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
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

constexpr int kSharedCells = 20;
constexpr int kDedicatedCells = 4;  // Two for each dedicated worker.
constexpr int kCells = kSharedCells + kDedicatedCells;
constexpr int kThreads = 2;
constexpr int kTokens = 12;
constexpr int64_t kHops = 4'000;
constexpr int64_t kFromOutside = 8'000;

class Crowd {
 public:
  Crowd(ThreadExecutor& executor, uint64_t seed)
      : executor_(executor), left_(kTokens * kHops + kThreads * kFromOutside) {
    members_.reserve(kCells);
    for (int i = 0; i < kCells; ++i) members_.emplace_back(*this, i, seed);
  }

  void Start(Worker& one, Worker& other) {
    for (int i = 0; i < kCells; ++i) {
      TestCell& cell = *members_[i].cell;
      if (i < kSharedCells) {
        cell.set_claimable(i % 4 != 0);
        cell.Start(executor_);
      } else {
        cell.StartOn(i % 2 == 0 ? one : other);
      }
    }
  }

  // What a thread sends; the first one brings the tokens that go round.
  void SendFromOutside(int thread, uint64_t seed) {
    Random random(seed);
    std::vector<uint64_t> sent(kCells);
    for (int64_t i = 0; i < kFromOutside + (thread == 0 ? kTokens : 0); ++i) {
      const uint64_t to = random.Uniform(kCells);
      const int64_t hops = i < kFromOutside ? 0 : kHops - 1;
      members_[to].cell->Send(
          {.from = kCells + thread, .sequence = sent[to]++, .value = hops});
    }
  }

  void AwaitAll() { done_.WaitForNotification(); }
  int64_t left() const { return left_.load(); }
  int64_t out_of_order() const { return out_of_order_.load(); }
  int64_t moves() const { return moves_.load(); }

 private:
  struct Member {
    Member(Crowd& crowd, int its_index, uint64_t seed)
        : index(its_index),
          random(seed * kCells + its_index),
          next_from(kCells + kThreads),
          next_to(kCells),
          cell(std::make_unique<TestCell>(
              absl::StrCat("cell-", its_index),
              [&crowd, its_index](TestCell&, const TestMessage& message) {
                crowd.Handle(crowd.members_[its_index], message);
              })) {}

    int index;
    Random random;
    std::vector<uint64_t> next_from;
    std::vector<uint64_t> next_to;
    const Worker* seen_on = nullptr;
    std::unique_ptr<TestCell> cell;
  };

  void Handle(Member& member, const TestMessage& message) {
    if (message.sequence != member.next_from[message.from]++) {
      out_of_order_.fetch_add(1);
    }
    if (member.seen_on != this_thread.worker) moves_.fetch_add(1);
    member.seen_on = this_thread.worker;
    const bool moves_before_sending = member.random.Bernoulli(0.5);
    if (moves_before_sending) DisturbSometimes(member);
    if (message.value > 0) {
      const uint64_t to = member.random.Uniform(kCells);
      members_[to].cell->Send({.from = member.index,
                               .sequence = member.next_to[to]++,
                               .value = message.value - 1});
    }
    if (!moves_before_sending) DisturbSometimes(member);
    if (left_.fetch_sub(1) == 1) done_.Notify();
  }

  void DisturbSometimes(Member& member) {
    switch (member.random.Uniform(1'500)) {
      case 0:
        if (member.index < kSharedCells) BlockUntilTakenOver();
        return;
      case 1:
      case 2:
        executor_.GiveUpSeat();
        return;
      case 3:
      case 4:
      case 5: {
        const MonotonicTime end = RealClock().Now() + absl::Microseconds(100);
        while (RealClock().Now() < end) {
        }
        return;
      }
    }
  }

  void BlockUntilTakenOver() {
    // Not by counting take-overs: this one may have come already.
    while (this_thread.seat.tag() != OwnerTag::kNoSeat) {
      std::this_thread::yield();
    }
  }

  ThreadExecutor& executor_;
  std::vector<Member> members_;
  std::atomic<int64_t> left_;
  std::atomic<int64_t> out_of_order_{0};
  std::atomic<int64_t> moves_{0};
  absl::Notification done_;
};

// §17, §19.
TEST(MovesStressTest, KeepsOrderPerPairWhateverMoves) {
  for (const uint64_t seed : TestSeeds(3)) {
    SCOPED_TRACE(SeedTrace(seed));
    auto executor = ThreadExecutor::Create({.workers = 3});
    ASSERT_THAT(executor, IsOk());
    (*executor)->SetLocals(TestOutbox::Make);
    const absl::StatusOr<Worker*> one =
        (*executor)->StartDedicatedWorker("one");
    const absl::StatusOr<Worker*> other =
        (*executor)->StartDedicatedWorker("other");
    ASSERT_THAT(one, IsOk());
    ASSERT_THAT(other, IsOk());
    Crowd crowd(**executor, seed);
    crowd.Start(**one, **other);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back(
          [&crowd, t, seed] { crowd.SendFromOutside(t, seed + t); });
    }
    for (std::thread& thread : threads) thread.join();
    crowd.AwaitAll();

    EXPECT_THAT((*executor)->Shutdown(), IsOk());
    EXPECT_EQ(crowd.out_of_order(), 0);
    EXPECT_EQ(crowd.left(), 0);
    EXPECT_GT((*executor)->take_overs(), 0u);
    // More than the first turn of each.
    EXPECT_GT(crowd.moves(), kCells);
  }
}

}  // namespace
}  // namespace troupe
