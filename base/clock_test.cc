#include "troupe/base/clock.h"

#include <cstdint>
#include <limits>
#include <sstream>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

MonotonicTime At(int64_t nanoseconds) {
  return MonotonicTime::FromNanoseconds(nanoseconds);
}

std::string Printed(MonotonicTime time) {
  std::ostringstream os;
  os << time;
  return os.str();
}

TEST(MonotonicTimeTest, AddsAndSubtractsDurations) {
  EXPECT_EQ(At(100) + absl::Nanoseconds(23), At(123));
  EXPECT_EQ(At(100) - absl::Nanoseconds(23), At(77));
  EXPECT_EQ(At(2'000'000'000) - At(500'000'000), absl::Milliseconds(1500));
  EXPECT_EQ(At(5) - At(9), absl::Nanoseconds(-4));
}

TEST(MonotonicTimeTest, OrdersByTime) {
  EXPECT_LT(At(1), At(2));
  EXPECT_LT(MonotonicTime(), MonotonicTime::InfiniteFuture());
  EXPECT_GT(MonotonicTime(), MonotonicTime::InfinitePast());
}

TEST(MonotonicTimeTest, SaturatesInsteadOfOverflowing) {
  const int64_t max = std::numeric_limits<int64_t>::max();

  EXPECT_EQ(At(max - 1) + absl::Seconds(1), MonotonicTime::InfiniteFuture());
  EXPECT_EQ(At(-max + 1) - absl::Seconds(1), MonotonicTime::InfinitePast());
  EXPECT_EQ(At(0) + absl::InfiniteDuration(), MonotonicTime::InfiniteFuture());
  EXPECT_EQ(At(-7) + absl::InfiniteDuration(), MonotonicTime::InfiniteFuture());
  EXPECT_EQ(At(7) - absl::InfiniteDuration(), MonotonicTime::InfinitePast());
  EXPECT_EQ(At(max - 1) - At(-max + 1),
            absl::Nanoseconds(max - 1) + absl::Nanoseconds(max - 1));
}

TEST(MonotonicTimeTest, InfinityStaysInfinite) {
  const MonotonicTime future = MonotonicTime::InfiniteFuture();
  const MonotonicTime past = MonotonicTime::InfinitePast();

  EXPECT_EQ(future - absl::Hours(1), future);
  EXPECT_EQ(past + absl::Hours(1), past);
  EXPECT_EQ(future - At(1), absl::InfiniteDuration());
  EXPECT_EQ(At(1) - future, -absl::InfiniteDuration());
  EXPECT_EQ(future - future, absl::InfiniteDuration());
  EXPECT_EQ(At(1) - past, absl::InfiniteDuration());
}

TEST(MonotonicTimeTest, PrintsAsDuration) {
  EXPECT_EQ(Printed(At(1'500'000'000)), "1.5s");
  EXPECT_EQ(Printed(MonotonicTime::InfiniteFuture()), "infinite-future");
  EXPECT_EQ(Printed(MonotonicTime::InfinitePast()), "infinite-past");
}

TEST(RealClockTest, MovesForward) {
  const MonotonicTime start = RealClock().Now();

  while (RealClock().Now() == start) {
  }

  EXPECT_GT(RealClock().Now(), start);
}

TEST(ManualClockTest, MovesOnlyWhenTold) {
  ManualClock clock(At(10));
  EXPECT_EQ(clock.Now(), At(10));

  clock.Advance(absl::Nanoseconds(5));

  EXPECT_EQ(clock.Now(), At(15));
}

TEST(ManualClockTest, AdvanceToNeverMovesBack) {
  ManualClock clock(At(10));

  clock.AdvanceTo(At(20));
  clock.AdvanceTo(At(15));

  EXPECT_EQ(clock.Now(), At(20));
}

TEST(ManualClockDeathTest, RefusesToStepBack) {
  ManualClock clock;

  EXPECT_DEATH(clock.Advance(absl::Seconds(-1)), "does not run backwards");
}

}  // namespace
}  // namespace troupe
