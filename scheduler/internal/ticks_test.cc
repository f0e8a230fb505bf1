#include "troupe/scheduler/internal/ticks.h"

#include <cstdint>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"

namespace troupe::internal {
namespace {

const MonotonicTime kStart = MonotonicTime() + absl::Seconds(7);

TEST(TicksTest, CountsWholeMillisecondsSinceTheStart) {
  const Ticks ticks(kStart);
  EXPECT_EQ(ticks.At(kStart), 0u);
  EXPECT_EQ(ticks.At(kStart + absl::Microseconds(1999)), 1u);
  EXPECT_EQ(ticks.At(kStart + absl::Milliseconds(2)), 2u);
}

TEST(TicksTest, RoundsUpWhatMustNotComeEarly) {
  const Ticks ticks(kStart);
  EXPECT_EQ(ticks.AtOrAfter(kStart), 0u);
  EXPECT_EQ(ticks.AtOrAfter(kStart + absl::Nanoseconds(1)), 1u);
  EXPECT_EQ(ticks.AtOrAfter(kStart + absl::Milliseconds(1)), 1u);
  EXPECT_EQ(ticks.AtOrAfter(kStart + absl::Microseconds(1001)), 2u);
}

TEST(TicksTest, TheFirstTickStandsForThePast) {
  const Ticks ticks(kStart);
  EXPECT_EQ(ticks.AtOrAfter(kStart - absl::Seconds(1)), 0u);
  EXPECT_EQ(ticks.AtOrAfter(MonotonicTime::InfinitePast()), 0u);
  EXPECT_EQ(ticks.At(MonotonicTime::InfinitePast()), 0u);
}

TEST(TicksTest, TimeOfInvertsThem) {
  const Ticks ticks(kStart);
  for (const uint64_t tick : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 40}) {
    EXPECT_EQ(ticks.At(ticks.TimeOf(tick)), tick);
    EXPECT_EQ(ticks.AtOrAfter(ticks.TimeOf(tick)), tick);
  }
}

TEST(TicksTest, TheInfiniteFutureNeverComes) {
  const Ticks ticks(kStart);
  EXPECT_EQ(ticks.AtOrAfter(MonotonicTime::InfiniteFuture()), Ticks::kNever);
  EXPECT_EQ(ticks.TimeOf(Ticks::kNever), MonotonicTime::InfiniteFuture());
  EXPECT_EQ(ticks.TimeOf(uint64_t{1} << 63), MonotonicTime::InfiniteFuture());
}

}  // namespace
}  // namespace troupe::internal
