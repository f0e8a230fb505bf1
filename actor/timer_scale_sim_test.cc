// Many timers, and timers for a long time: clause 33 of docs/semantics.md.
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/timer.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/scale.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::testing::IsOk;
using ::troupe::testing::Scaled;

constexpr absl::Duration kTick = absl::Milliseconds(1);

class TimerScaleSimTest : public ::testing::Test {
 protected:
  TimerScaleSimTest()
      : executor_(new DeterministicExecutor({.seed = 3})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})) {}

  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
};

struct Tick {};

// Checks that the n-th tick comes in the millisecond after n periods.
class Metronome : public Actor<Tick> {
 public:
  Metronome(absl::Duration period, int64_t& ticks)
      : period_(period), ticks_(ticks) {}
  void PostStart() {
    began_ = Now();
    SendEvery<Tick>(period_);
  }
  void Handle(Tick) {
    const absl::Duration late = Now() - began_ - ++ticks_ * period_;
    if (late < absl::ZeroDuration() || late >= kTick) {
      ADD_FAILURE() << "tick " << ticks_ << " came " << late << " late";
      StopSelf();
    }
  }

 private:
  MonotonicTime Now() const { return system().executor().clock().Now(); }

  const absl::Duration period_;
  int64_t& ticks_;
  MonotonicTime began_;
};

TEST_F(TimerScaleSimTest, MillionPeriodsDoNotDrift) {
  const int64_t periods = Scaled(1'000'000);
  constexpr absl::Duration kPeriod = absl::Nanoseconds(1'234'567);
  int64_t ticks = 0;
  ASSERT_THAT(system_->Spawn<Metronome>(kPeriod, ticks), IsOk());
  executor_->RunFor(periods * kPeriod + kTick);
  EXPECT_EQ(ticks, periods);
}

struct Due {
  int64_t number;
};
struct StartMany {
  int64_t count;
  int64_t first = 0;
};

// Times that lie in no order.
absl::Duration DelayOf(int64_t number) {
  return absl::Milliseconds(1 + number * 7919 % 10'007);
}

// Starts many timers, and cancels every third.
class Crowd : public Actor<StartMany, Due> {
 public:
  explicit Crowd(int64_t& handled) : handled_(handled) {}
  void Handle(StartMany m) {
    began_ = Now();
    timers_.reserve(m.count);
    for (int64_t i = m.first; i < m.first + m.count; ++i) {
      timers_.push_back(SendAfter<Due>(DelayOf(i), i));
    }
    for (int64_t i = m.first; i < m.first + m.count; ++i) {
      if (i % 3 != 0) continue;
      EXPECT_EQ(timers_[i - m.first].Cancel(), DelayOf(i));
    }
  }
  void Handle(Due m) {
    ++handled_;
    if (Now() - began_ != DelayOf(m.number) || m.number % 3 == 0) {
      ADD_FAILURE() << m.number << " came after " << Now() - began_;
      StopSelf();
    }
  }

 private:
  MonotonicTime Now() const { return system().executor().clock().Now(); }

  int64_t& handled_;
  MonotonicTime began_;
  std::vector<Timer> timers_;
};

TEST_F(TimerScaleSimTest, MillionInOneActor) {
  const int64_t timers = Scaled(1'000'000);
  int64_t handled = 0;
  system_->Spawn<Crowd>(handled).value().Send<StartMany>(timers);
  executor_->RunFor(absl::Seconds(11));
  EXPECT_EQ(handled, timers - (timers + 2) / 3);
}

TEST_F(TimerScaleSimTest, MillionInManyActors) {
  const int64_t actors = Scaled(10'000);
  constexpr int64_t kTimers = 99;  // A third of them is cancelled.
  int64_t handled = 0;
  for (int64_t i = 0; i < actors; ++i) {
    system_->Spawn<Crowd>(handled).value().Send<StartMany>(kTimers,
                                                           i * kTimers);
  }
  executor_->RunFor(absl::Seconds(11));
  EXPECT_EQ(handled, actors * kTimers / 3 * 2);
}

TEST_F(TimerScaleSimTest, MillionPendingAtTheEnd) {
  const int64_t timers = Scaled(1'000'000);
  int64_t handled = 0;
  const auto crowd = system_->Spawn<Crowd>(handled).value();
  crowd.Send<StartMany>(timers);
  executor_->RunUntilIdle();
  EXPECT_THAT(crowd.StopAndWait(), IsOk());
  executor_->RunFor(absl::Seconds(11));
  EXPECT_EQ(handled, 0);
}

}  // namespace
}  // namespace troupe
