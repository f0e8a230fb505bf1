#include "troupe/testing/seeds.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

using internal::SeedsFor;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(SeedsTest, AreTheSameInEveryRun) {
  EXPECT_THAT(SeedsFor(3, nullptr, nullptr, nullptr), ElementsAre(0, 1, 2));
}

TEST(SeedsTest, RepeatedRunsTryOthers) {
  EXPECT_THAT(SeedsFor(3, nullptr, "1", nullptr), ElementsAre(0, 1, 2));
  EXPECT_THAT(SeedsFor(3, nullptr, "4", nullptr), ElementsAre(9, 10, 11));
}

TEST(SeedsTest, TheVariableReplaysOne) {
  EXPECT_THAT(SeedsFor(3, "17", "4", nullptr), ElementsAre(17));
}

TEST(SeedsTest, ScaleMakesThemFewer) {
  EXPECT_THAT(SeedsFor(8, nullptr, nullptr, "25"), ElementsAre(0, 1));
  EXPECT_THAT(SeedsFor(8, nullptr, "4", "25"), ElementsAre(6, 7));
  EXPECT_THAT(SeedsFor(3, "17", nullptr, "1"), ElementsAre(17));
}

TEST(SeedsTest, TraceSaysHowToReplay) {
  EXPECT_THAT(SeedTrace(17), HasSubstr("TROUPE_TEST_SEED=17"));
}

TEST(SeedsDeathTest, RefusesWhatIsNoNumber) {
  EXPECT_DEATH(SeedsFor(3, "xyz", nullptr, nullptr), "is a number, not xyz");
  EXPECT_DEATH(SeedsFor(3, nullptr, "0", nullptr), "counts runs from 1");
}

}  // namespace
}  // namespace troupe::testing
