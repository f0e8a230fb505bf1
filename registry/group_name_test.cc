#include "troupe/registry/group_name.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

TEST(GroupNameTest, ReadsAsAPath) {
  EXPECT_EQ((GroupName{.name = "lobby"}).ToString(), "lobby");
  EXPECT_EQ((GroupName{.scope = "sales", .name = "lobby"}).ToString(),
            "sales/lobby");
}

TEST(GroupNameTest, ScopesComeBeforeNames) {
  const GroupName a{.scope = "a", .name = "z"};
  const GroupName b{.scope = "b", .name = "y"};
  EXPECT_LT(a, b);
  EXPECT_LT((GroupName{.scope = "b", .name = "x"}), b);
  EXPECT_NE(a, (GroupName{.name = "z"}));
}

TEST(GroupNameTest, NameMustNotBeEmpty) {
  EXPECT_THAT(CheckGroupName(GroupName{.scope = "sales"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
}

TEST(GroupNameTest, PartsHaveAtMost255Bytes) {
  const std::string longest(255, 'x');
  EXPECT_THAT(CheckGroupName(GroupName{.scope = longest, .name = longest}),
              IsOk());
  EXPECT_THAT(CheckGroupName(GroupName{.name = longest + "x"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the name of a group has 256 bytes")));
  EXPECT_THAT(CheckGroupName(GroupName{.scope = longest + "x", .name = "n"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the scope of a group has 256 bytes")));
}

TEST(GroupNameTest, ControlCharactersAreRefused) {
  EXPECT_THAT(CheckGroupName(GroupName{.name = "a\nb"}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a\\nb")));
  EXPECT_THAT(CheckGroupName(GroupName{.scope = "\x7f", .name = "n"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the scope of a group has a control")));
  EXPECT_THAT(CheckGroupName(GroupName{.name = "größe"}), IsOk());
}

}  // namespace
}  // namespace troupe
