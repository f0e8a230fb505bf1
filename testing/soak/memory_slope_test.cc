#include "troupe/testing/soak/memory_slope.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

TEST(MemorySlopeTest, IsZeroWithoutTwoTimes) {
  MemorySlope slope;
  EXPECT_EQ(slope.BytesPerMinute(), 0);
  slope.Add(absl::Seconds(1), 1000);
  EXPECT_EQ(slope.BytesPerMinute(), 0);
}

TEST(MemorySlopeTest, FitsAStraightLine) {
  MemorySlope slope;
  for (int second = 0; second <= 120; second += 10) {
    slope.Add(absl::Seconds(second), 5000 + 100 * second);
  }
  EXPECT_NEAR(slope.BytesPerMinute(), 6000, 1e-6);
}

TEST(MemorySlopeTest, ForgetsHowItBegan) {
  MemorySlope slope;
  for (int second = 0; second < 60; ++second) {
    slope.Add(absl::Seconds(second), 1'000'000 * second);
  }
  for (int second = 60; second <= 120; ++second) {
    slope.Add(absl::Seconds(second), 60'000'000);
  }
  EXPECT_NEAR(slope.BytesPerMinute(), 0, 1e-6);
}

// As memory that is taken and given back does.
TEST(MemorySlopeTest, SwingsAroundALevelAreNearlyFlat) {
  MemorySlope slope;
  for (int second = 0; second <= 1200; ++second) {
    slope.Add(absl::Seconds(second), second % 20 < 10 ? 1'000'000 : 2'000'000);
  }
  EXPECT_LT(slope.BytesPerMinute(), 10'000);
  EXPECT_GT(slope.BytesPerMinute(), -10'000);
}

}  // namespace
}  // namespace troupe::testing
