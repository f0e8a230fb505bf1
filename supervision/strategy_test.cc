#include "troupe/supervision/strategy.h"

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

// Clause 29: one in 5 s.
TEST(IntensityTest, OneRestartInFiveSecondsIsTheDefault) {
  EXPECT_EQ(Intensity(),
            (Intensity{.restarts = 1, .within = absl::Seconds(5)}));
  EXPECT_THAT(Validate(Intensity()), IsOk());
}

TEST(IntensityTest, NoRestartAtAllIsAllowed) {
  EXPECT_THAT(Validate(Intensity{.restarts = 0}), IsOk());
  EXPECT_THAT(Validate(Intensity{.within = absl::InfiniteDuration()}), IsOk());
}

TEST(IntensityTest, NamesTheFieldAndTheValueItRefuses) {
  EXPECT_THAT(Validate(Intensity{.restarts = -2}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("intensity: restarts is -2")));
  EXPECT_THAT(Validate(Intensity{.within = absl::ZeroDuration()}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("intensity: within is 0")));
}

TEST(StrategyTest, IsNamedAsOtpNamesIt) {
  EXPECT_EQ(ToString(kOneForOne), "one_for_one");
  EXPECT_EQ(ToString(kOneForAll), "one_for_all");
  EXPECT_EQ(ToString(kRestForOne), "rest_for_one");
  EXPECT_EQ(ToString(kDynamic), "dynamic");
  EXPECT_EQ(ToString(kNever), "never");
  EXPECT_EQ(ToString(kAnySignificant), "any_significant");
  EXPECT_EQ(ToString(kAllSignificant), "all_significant");
}

}  // namespace
}  // namespace troupe
