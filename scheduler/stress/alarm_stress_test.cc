// Threads that set, move and cancel alarms while these ring, each thread its
// own ones.
//
// What an alarm counts is plain data on purpose: under TSan, a ring that is not
// over when CancelAlarm() returns shows as a race with its owner's look.
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

constexpr int kThreads = 3;
constexpr int kAlarms = 6;
constexpr int kSteps = 1'500;

// An alarm that counts, and now and then sets itself again.
class CountingAlarm {
 public:
  CountingAlarm(Executor& executor, uint64_t seed)
      : executor_(executor), random_(seed), alarm_([this] { Ring(); }) {}
  ~CountingAlarm() { Cancel(); }

  // REQUIRES: cancelled.
  void Set(absl::Duration delay) {
    ++sets_;
    not_before_ = executor_.clock().Now() + delay;
    executor_.SetAlarm(alarm_, not_before_);
  }

  // Sets it anew, pending, ringing or neither.
  void Move(absl::Duration delay) {
    moved_ = true;
    executor_.SetAlarm(alarm_, executor_.clock().Now() + delay);
  }

  void Cancel() {
    if (executor_.CancelAlarm(alarm_)) ++cancelled_;
    EXPECT_FALSE(alarm_.pending());
    // One that was moved may have rung before, between or after.
    EXPECT_TRUE(moved_ || rings_ + cancelled_ == sets_);
    sets_ = rings_ = cancelled_ = 0;
    moved_ = false;
  }

 private:
  void Ring() {
    ++rings_;
    EXPECT_GE(executor_.clock().Now(), not_before_);
    if (random_.Bernoulli(0.2)) {
      ++sets_;
      executor_.SetAlarm(alarm_, executor_.clock().Now());
    }
  }

  Executor& executor_;
  Random random_;       // The ring's.
  bool moved_ = false;  // The owner's.
  // Whose turn it is: the owner's until Set() and after Cancel(), else the
  // ring's.
  int64_t sets_ = 0;
  int64_t rings_ = 0;
  int64_t cancelled_ = 0;
  MonotonicTime not_before_;
  Alarm alarm_;
};

void Exercise(Executor& executor, uint64_t seed) {
  Random random(seed);
  std::vector<std::unique_ptr<CountingAlarm>> alarms(kAlarms);
  const auto delay = [&random] {
    return absl::Microseconds(random.Uniform(3'000));
  };
  for (int step = 0; step < kSteps; ++step) {
    std::unique_ptr<CountingAlarm>& alarm = alarms[random.Uniform(kAlarms)];
    if (alarm == nullptr) {
      alarm = std::make_unique<CountingAlarm>(executor, random.NextUint64());
      alarm->Set(delay());
    } else if (random.Bernoulli(0.2)) {
      alarm.reset();
    } else if (random.Bernoulli(0.3)) {
      alarm->Move(absl::Milliseconds(3) + delay());
    } else {
      alarm->Cancel();
      alarm->Set(delay());
    }
    if (random.Bernoulli(0.1)) std::this_thread::yield();
  }
}

TEST(AlarmStressTest, RingsOrIsCancelledWhateverComesTogether) {
  for (const uint64_t seed : TestSeeds(5)) {
    SCOPED_TRACE(SeedTrace(seed));
    auto executor = ThreadExecutor::Create({.workers = 1});
    ASSERT_THAT(executor, IsOk());
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back(
          [&executor, seed, t] { Exercise(**executor, seed * kThreads + t); });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

// Where a ring is lost, the test hangs.
TEST(AlarmStressTest, RingsEachThatIsNotCancelled) {
  auto executor = ThreadExecutor::Create({.workers = 1});
  ASSERT_THAT(executor, IsOk());
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&executor, t] {
      Random random(t);
      for (int round = 0; round < 100; ++round) {
        absl::BlockingCounter rung(kAlarms);
        std::vector<std::unique_ptr<Alarm>> alarms;
        for (int i = 0; i < kAlarms; ++i) {
          alarms.push_back(
              std::make_unique<Alarm>([&rung] { rung.DecrementCount(); }));
          (*executor)->SetAlarm(*alarms.back(),
                                (*executor)->clock().Now() +
                                    absl::Microseconds(random.Uniform(2'000)));
        }
        rung.Wait();
        // The last may still be ringing.
        for (const auto& alarm : alarms) {
          EXPECT_FALSE((*executor)->CancelAlarm(*alarm));
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace troupe
