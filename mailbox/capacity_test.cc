#include "troupe/mailbox/capacity.h"

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

TEST(CapacityTest, DefaultIsUnlimitedAndValid) {
  const Capacity capacity;
  EXPECT_EQ(capacity.messages, Capacity::kUnlimited);
  EXPECT_EQ(capacity.bytes, Capacity::kUnlimited);
  EXPECT_THAT(Validate(capacity), IsOk());
}

TEST(CapacityTest, SmallestUsefulLimitsAreValid) {
  for (OverflowPolicy policy :
       {OverflowPolicy::kReject, OverflowPolicy::kDropNewest,
        OverflowPolicy::kDropOldest, OverflowPolicy::kAwait}) {
    EXPECT_THAT(Validate({.messages = 1, .bytes = 64, .policy = policy}),
                IsOk());
  }
}

TEST(CapacityTest, RefusalNamesFieldAndValue) {
  EXPECT_THAT(
      Validate({.messages = 0}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("messages is 0")));
  EXPECT_THAT(
      Validate({.bytes = 63}),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("bytes is 63")));
  EXPECT_THAT(Validate({.policy = static_cast<OverflowPolicy>(17)}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("policy"), HasSubstr("17"))));
}

}  // namespace
}  // namespace troupe
