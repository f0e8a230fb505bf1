#include "troupe/supervision/internal/wake_or_signal.h"

#include <sys/time.h>

#include <csignal>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"

namespace troupe::internal {
namespace {

using Cause = WakeOrSignal::Cause;

// How long a wait of so long takes, of which nothing comes.
absl::Duration TimeOf(WakeOrSignal& main, absl::Duration timeout) {
  const MonotonicTime began = RealClock().Now();
  EXPECT_EQ(main.Wait(timeout), Cause::kTimeout);
  return RealClock().Now() - began;
}

TEST(WakeOrSignalTest, WaitsLongerThanOnePoll) {
  const absl::StatusOr<std::unique_ptr<WakeOrSignal>> main =
      WakeOrSignal::Create(absl::Milliseconds(10));
  ASSERT_TRUE(main.ok());
  EXPECT_GE(TimeOf(**main, absl::Milliseconds(50)), absl::Milliseconds(50));
}

// Each of them, were it to begin the wait anew, would come before its end.
TEST(WakeOrSignalTest, SignalsOfOthersMakeNoWaitLonger) {
  struct sigaction on_alarm = {};
  on_alarm.sa_handler = [](int) {};
  struct sigaction before;
  ASSERT_EQ(sigaction(SIGALRM, &on_alarm, &before), 0);
  const itimerval each_5_ms = {{0, 5000}, {0, 5000}};
  ASSERT_EQ(setitimer(ITIMER_REAL, &each_5_ms, nullptr), 0);

  const absl::StatusOr<std::unique_ptr<WakeOrSignal>> main =
      WakeOrSignal::Create();
  ASSERT_TRUE(main.ok());
  EXPECT_GE(TimeOf(**main, absl::Milliseconds(50)), absl::Milliseconds(50));

  const itimerval never = {};
  ASSERT_EQ(setitimer(ITIMER_REAL, &never, nullptr), 0);
  ASSERT_EQ(sigaction(SIGALRM, &before, nullptr), 0);
}

TEST(WakeOrSignalTest, SignalComesBeforeAWake) {
  const absl::StatusOr<std::unique_ptr<WakeOrSignal>> main =
      WakeOrSignal::Create();
  ASSERT_TRUE(main.ok());
  (*main)->Wake();
  ASSERT_EQ(raise(SIGTERM), 0);
  EXPECT_EQ((*main)->Wait(absl::InfiniteDuration()), Cause::kSignal);
  EXPECT_EQ((*main)->Wait(absl::InfiniteDuration()), Cause::kWoken);
  EXPECT_EQ((*main)->Wait(absl::ZeroDuration()), Cause::kTimeout);
}

}  // namespace
}  // namespace troupe::internal
