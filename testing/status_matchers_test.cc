#include "troupe/testing/status_matchers.h"

#include <memory>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::testing {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Matcher;
using ::testing::Not;
using ::testing::Pointee;
using ::testing::StringMatchResultListener;

constexpr absl::StatusCode kNotFound = absl::StatusCode::kNotFound;

absl::Status Missing() { return absl::NotFoundError("no such actor"); }

template <typename T>
std::string Describe(const Matcher<T>& matcher) {
  std::ostringstream os;
  matcher.DescribeTo(&os);
  return os.str();
}

template <typename T, typename M>
std::string Explain(const T& value, const M& matcher) {
  StringMatchResultListener listener;
  Matcher<const T&>(matcher).MatchAndExplain(value, &listener);
  return listener.str();
}

TEST(IsOkTest, MatchesStatus) {
  EXPECT_THAT(absl::OkStatus(), IsOk());
  EXPECT_THAT(Missing(), Not(IsOk()));
}

TEST(IsOkTest, MatchesStatusOr) {
  EXPECT_THAT(absl::StatusOr<int>(3), IsOk());
  EXPECT_THAT(absl::StatusOr<int>(Missing()), Not(IsOk()));
}

TEST(IsOkTest, ShowsTheError) {
  EXPECT_THAT(Explain(Missing(), IsOk()), HasSubstr("no such actor"));
  EXPECT_EQ(Describe<absl::Status>(IsOk()), "is OK");
}

TEST(StatusIsTest, ComparesTheCode) {
  EXPECT_THAT(Missing(), StatusIs(kNotFound));
  EXPECT_THAT(Missing(), Not(StatusIs(absl::StatusCode::kAborted)));
  EXPECT_THAT(absl::StatusOr<int>(Missing()), StatusIs(kNotFound));
  EXPECT_THAT(absl::StatusOr<int>(1), StatusIs(absl::StatusCode::kOk));
}

TEST(StatusIsTest, ComparesTheMessage) {
  EXPECT_THAT(Missing(), StatusIs(kNotFound, "no such actor"));
  EXPECT_THAT(Missing(), StatusIs(kNotFound, HasSubstr("actor")));
  EXPECT_THAT(Missing(), Not(StatusIs(kNotFound, HasSubstr("node"))));
  EXPECT_THAT(Missing(), Not(StatusIs(absl::StatusCode::kAborted, _)));
}

TEST(StatusIsTest, TakesMatchersOfCodes) {
  EXPECT_THAT(Missing(),
              StatusIs(AnyOf(absl::StatusCode::kAborted, kNotFound)));
}

TEST(StatusIsTest, ShowsWhatItGot) {
  EXPECT_THAT(Explain(Missing(), StatusIs(absl::StatusCode::kAborted)),
              AllOf(HasSubstr("NOT_FOUND"), HasSubstr("no such actor")));
  EXPECT_THAT(Describe<absl::Status>(StatusIs(kNotFound, HasSubstr("actor"))),
              AllOf(HasSubstr("status code"), HasSubstr("\"actor\"")));
}

TEST(IsOkAndHoldsTest, ComparesTheValue) {
  const absl::StatusOr<int> three = 3;

  EXPECT_THAT(three, IsOkAndHolds(3));
  EXPECT_THAT(three, IsOkAndHolds(Gt(2)));
  EXPECT_THAT(three, Not(IsOkAndHolds(4)));
  EXPECT_THAT(absl::StatusOr<int>(Missing()), Not(IsOkAndHolds(_)));
  EXPECT_THAT(absl::StatusOr<std::string>("abc"), IsOkAndHolds("abc"));
}

TEST(IsOkAndHoldsTest, LooksAtValuesThatOnlyMove) {
  EXPECT_THAT(absl::StatusOr<std::unique_ptr<int>>(std::make_unique<int>(3)),
              IsOkAndHolds(Pointee(3)));
}

TEST(IsOkAndHoldsTest, ShowsValueOrError) {
  EXPECT_THAT(Explain(absl::StatusOr<int>(17), IsOkAndHolds(3)),
              HasSubstr("17"));
  EXPECT_THAT(Explain(absl::StatusOr<int>(Missing()), IsOkAndHolds(3)),
              HasSubstr("no such actor"));
}

}  // namespace
}  // namespace troupe::testing
