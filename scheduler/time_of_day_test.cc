// Somebody sets the time of day, forward or back: no wait of ours is longer or
// shorter for it.
#include <memory>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/internal/time_of_day_testing.h"
#include "troupe/scheduler/blocking_pool.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::SetTimeOfDay;
using internal::TestCell;
using internal::TestMessage;
using internal::TestOutbox;
using testing::IsOk;

constexpr absl::Duration kAWhile = absl::Milliseconds(20);

// Each test with the time of day set forward, and set back.
class TimeOfDayTest : public ::testing::TestWithParam<absl::Duration> {
 protected:
  std::unique_ptr<ThreadExecutor> CreateExecutor() {
    return ThreadExecutor::Create({.workers = 1}).value();
  }

  const SetTimeOfDay set_{GetParam()};
  const MonotonicTime later_ = RealClock().Now() + kAWhile;
};

INSTANTIATE_TEST_SUITE_P(ForwardAndBack, TimeOfDayTest,
                         ::testing::Values(absl::Hours(1), -absl::Hours(1)));

TEST_P(TimeOfDayTest, AnEventIsWaitedForAsLong) {
  const Event never;
  EXPECT_FALSE(never.WaitWithTimeout(kAWhile));
  EXPECT_GE(RealClock().Now(), later_);
}

TEST_P(TimeOfDayTest, APlainThreadWaitsAsLong) {
  const auto executor = CreateExecutor();
  Event never;
  EXPECT_FALSE(executor->WaitFor(never, later_));
  EXPECT_GE(RealClock().Now(), later_);
  EXPECT_FALSE(executor->RunUntil([] { return false; }, later_ + kAWhile));
  EXPECT_GE(RealClock().Now(), later_ + kAWhile);
}

TEST_P(TimeOfDayTest, AlarmsRing) {
  const auto executor = CreateExecutor();
  Event rung;
  Alarm alarm([&] { rung.Set(); });
  executor->SetAlarm(alarm, later_);
  EXPECT_TRUE(rung.WaitWithTimeout(absl::InfiniteDuration()));
  EXPECT_GE(RealClock().Now(), later_);
}

TEST_P(TimeOfDayTest, ASleepingWorkersTimersFire) {
  const auto executor = CreateExecutor();
  executor->SetLocals(TestOutbox::Make);
  Event fired;
  TestCell cell("cell", [&](TestCell& self, const TestMessage& message) {
    if (message.from == TestCell::kTimer) {
      fired.Set();
    } else {
      self.SetTimer(later_);
    }
  });
  cell.Start(*executor);
  cell.Send({});
  EXPECT_TRUE(fired.WaitWithTimeout(absl::InfiniteDuration()));
  EXPECT_GE(RealClock().Now(), later_);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

TEST_P(TimeOfDayTest, APoolWaitsForItsTasksAsLong) {
  Event go_on;
  BlockingPool pool({});
  ASSERT_THAT(
      pool.Submit([&] { go_on.WaitWithTimeout(absl::InfiniteDuration()); }),
      IsOk());
  pool.Shutdown(later_);
  EXPECT_GE(RealClock().Now(), later_);
  go_on.Set();
}

}  // namespace
}  // namespace troupe
