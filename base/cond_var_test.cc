#include "troupe/base/cond_var.h"

#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/internal/time_of_day_testing.h"

namespace troupe {
namespace {

using internal::SetTimeOfDay;

TEST(CondVarTest, WhoWaitsSeesWhatHappenedBeforeTheSignal) {
  absl::Mutex mu;
  CondVar changed;
  int value = 0;
  std::thread setter([&] {
    absl::MutexLock lock(&mu);
    value = 7;
    changed.Signal();
  });
  {
    absl::MutexLock lock(&mu);
    while (value == 0) changed.Wait(&mu);
    EXPECT_EQ(value, 7);
  }
  setter.join();
}

// Each waits for another one, round after round: a signal that gets lost stops
// them all.
TEST(CondVarTest, LosesNoSignal) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2'000;
  absl::Mutex mu;
  std::vector<CondVar> turns(kThreads);
  int turn = 0;
  std::vector<std::thread> threads;
  for (int me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me] {
      for (int round = 0; round < kRounds; ++round) {
        absl::MutexLock lock(&mu);
        while (turn % kThreads != me) {
          // Limits come and go, now and then just with the signal.
          (void)turns[me].WaitWithTimeout(&mu, round % 2 == 0
                                                   ? absl::InfiniteDuration()
                                                   : absl::Microseconds(50));
        }
        ++turn;
        turns[turn % kThreads].Signal();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(turn, kThreads * kRounds);
}

TEST(CondVarTest, SignalAllWakesAll) {
  absl::Mutex mu;
  CondVar changed;
  CondVar counted;
  int waiting = 0;
  bool go = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      absl::MutexLock lock(&mu);
      ++waiting;
      counted.Signal();
      while (!go) changed.Wait(&mu);
    });
  }
  {
    absl::MutexLock lock(&mu);
    while (waiting < 4) counted.Wait(&mu);
    go = true;
    changed.SignalAll();
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(CondVarTest, TellsThatTheDeadlineHasPassed) {
  absl::Mutex mu;
  CondVar never;
  absl::MutexLock lock(&mu);
  const MonotonicTime deadline = RealClock().Now() + absl::Milliseconds(20);
  while (!never.WaitWithDeadline(&mu, deadline)) {
  }
  EXPECT_GE(RealClock().Now(), deadline);
  // It has, before the wait.
  EXPECT_TRUE(never.WaitWithDeadline(&mu, deadline));
  EXPECT_TRUE(never.WaitWithDeadline(&mu, MonotonicTime::InfinitePast()));
  EXPECT_TRUE(never.WaitWithTimeout(&mu, absl::ZeroDuration()));
  EXPECT_TRUE(never.WaitWithTimeout(&mu, -absl::InfiniteDuration()));
}

// Who goes by a clock of his own, which stands, comes back again and again.
TEST(CondVarTest, GivesTheMutexUpForAPassedDeadlineToo) {
  absl::Mutex mu;
  CondVar never;
  bool done = false;
  std::thread other;
  {
    absl::MutexLock lock(&mu);
    other = std::thread([&] {
      absl::MutexLock lock(&mu);
      done = true;
    });
    while (!done) (void)never.WaitWithTimeout(&mu, absl::ZeroDuration());
  }
  other.join();
}

TEST(CondVarTest, WaitsByNoTimeOfDay) {
  absl::Mutex mu;
  CondVar never;
  for (const absl::Duration ahead : {absl::Hours(1), -absl::Hours(1)}) {
    const absl::Time real = absl::Now();
    const SetTimeOfDay set(ahead);
    ASSERT_GT(absl::AbsDuration(absl::Now() - real), absl::Minutes(59));
    absl::MutexLock lock(&mu);
    const MonotonicTime deadline = RealClock().Now() + absl::Milliseconds(20);
    while (!never.WaitWithDeadline(&mu, deadline)) {
    }
    EXPECT_GE(RealClock().Now(), deadline);
  }
}

}  // namespace
}  // namespace troupe
