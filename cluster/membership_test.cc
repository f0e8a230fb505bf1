#include "troupe/cluster/membership.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::StatusIs;

Member Named(std::string name, uint64_t incarnation = 1) {
  return {.name = name, .address = name, .incarnation = incarnation};
}

TEST(ChangesBetweenTest, MembersThatComeAndGoAreTold) {
  const MembershipChanges changes =
      ChangesBetween({.members = {Named("a"), Named("c"), Named("d")}},
                     {.members = {Named("b"), Named("c"), Named("e")}});
  EXPECT_THAT(changes.left, ElementsAre(Named("a"), Named("d")));
  EXPECT_THAT(changes.joined, ElementsAre(Named("b"), Named("e")));
  EXPECT_THAT(changes.changed, IsEmpty());
}

TEST(ChangesBetweenTest, AnotherIncarnationIsAnotherMember) {
  const MembershipChanges changes = ChangesBetween(
      {.members = {Named("a", 1)}}, {.members = {Named("a", 2)}});
  EXPECT_THAT(changes.left, ElementsAre(Named("a", 1)));
  EXPECT_THAT(changes.joined, ElementsAre(Named("a", 2)));
}

// Without its incarnation a member that left and came back is known by that.
TEST(ChangesBetweenTest, MemberThatJoinedAgainIsAnotherOne) {
  Member again = Named("a", 0);
  again.joined_at = 7;
  const MembershipChanges changes =
      ChangesBetween({.members = {Named("a", 0)}}, {.members = {again}});
  EXPECT_THAT(changes.left, ElementsAre(Named("a", 0)));
  EXPECT_THAT(changes.joined, ElementsAre(again));
}

TEST(ChangesBetweenTest, MemberThatMovesHasChanged) {
  Member moved = Named("a");
  moved.address = "elsewhere";
  const MembershipChanges changes =
      ChangesBetween({.members = {Named("a")}}, {.members = {moved}});
  EXPECT_THAT(changes.changed, ElementsAre(moved));
  EXPECT_THAT(changes.left, IsEmpty());
  EXPECT_THAT(changes.joined, IsEmpty());
}

TEST(ChangesBetweenTest, SameListHasNoChanges) {
  const Membership list = {.members = {Named("a"), Named("b")}};
  const MembershipChanges changes = ChangesBetween(list, list);
  EXPECT_THAT(changes.left, IsEmpty());
  EXPECT_THAT(changes.joined, IsEmpty());
  EXPECT_THAT(changes.changed, IsEmpty());
}

TEST(ValidateMembersTest, MemberNeedsANameAndAnAddress) {
  EXPECT_THAT(ValidateMembers({Named("a"), Named("b")}), IsOk());
  EXPECT_THAT(ValidateMembers({{.address = "x:1"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'x:1'")));
  EXPECT_THAT(ValidateMembers({{.name = "a"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'a'")));
}

TEST(ValidateMembersTest, NameIsUsedOnce) {
  EXPECT_THAT(ValidateMembers({Named("a"), Named("b"), Named("a", 2)}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("two members are called 'a'")));
}

}  // namespace
}  // namespace troupe
