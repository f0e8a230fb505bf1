#include "troupe/base/check.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(CheckTest, PassesWhenTheConditionHolds) {
  int evaluations = 0;

  TROUPE_CHECK(++evaluations == 1, "evaluated once");

  EXPECT_EQ(evaluations, 1);
}

TEST(CheckTest, BuildsTheMessageOnlyOnFailure) {
  int messages = 0;

  TROUPE_CHECK(true, absl::StrCat("message ", ++messages));

  EXPECT_EQ(messages, 0);
}

TEST(CheckTest, WorksInConstantExpressions) {
  constexpr auto half = [](int n) {
    TROUPE_CHECK(n % 2 == 0, "only even numbers have a half");
    return n / 2;
  };

  static_assert(half(4) == 2);
}

TEST(CheckDeathTest, NamesPlaceConditionAndMessage) {
  EXPECT_DEATH(TROUPE_CHECK(1 + 1 == 3, absl::StrCat("sum", "s add up")),
               "check_test.cc:[0-9]+: check failed: 1 \\+ 1 == 3: sums add up");
}

#ifdef NDEBUG
TEST(CheckTest, DebugCheckIsNotEvaluatedInReleaseBuilds) {
  int evaluations = 0;

  TROUPE_DCHECK(++evaluations < 0, absl::StrCat("message ", ++evaluations));

  EXPECT_EQ(evaluations, 0);
}
#else
TEST(CheckDeathTest, DebugCheckDiesInDebugBuilds) {
  EXPECT_DEATH(TROUPE_DCHECK(false, "debug only"),
               "check failed: false: debug only");
}
#endif

}  // namespace
}  // namespace troupe
