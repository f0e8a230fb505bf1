#include "troupe/testing/scale.h"

#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

using internal::ScaledBy;

TEST(ScaleTest, IsAllUnlessTold) { EXPECT_EQ(ScaledBy(7, nullptr), 7); }

TEST(ScaleTest, PercentMakesItLessButNotNothing) {
  EXPECT_EQ(ScaledBy(1'000'000, "25"), 250'000);
  EXPECT_EQ(ScaledBy(8, "25"), 2);
  EXPECT_EQ(ScaledBy(3, "1"), 1);
  EXPECT_EQ(ScaledBy(3, "100"), 3);
}

TEST(ScaleDeathTest, RefusesWhatIsNoPercentage) {
  for (const char* const percent : {"0", "101", "-1", "", "a quarter"}) {
    EXPECT_DEATH(ScaledBy(3, percent), "TROUPE_TEST_SCALE_PERCENT is 1 to 100");
  }
}

}  // namespace
}  // namespace troupe::testing
