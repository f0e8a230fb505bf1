#include "troupe/cluster/membership_conformance.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/cluster/membership.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::testing {
namespace {

// Whether the thread is in a call of the provider.
thread_local bool in_provider_call = false;

}  // namespace

void RecordingMembershipListener::OnMembers(
    std::shared_ptr<const Membership> membership) {
  EXPECT_FALSE(in_provider_call) << "called from within a call";
  {
    absl::MutexLock lock(&mu_);
    EXPECT_FALSE(inside_) << "called while another call has not returned";
    inside_ = true;
    if (!lists_.empty()) {
      EXPECT_GT(membership->revision, lists_.back()->revision);
    }
    lists_.push_back(std::move(membership));
  }
  absl::MutexLock lock(&mu_);
  inside_ = false;
}

void RecordingMembershipListener::OnLost(const absl::Status& why) {
  ADD_FAILURE() << "the provider lost its source: " << why;
}

std::vector<std::shared_ptr<const Membership>>
RecordingMembershipListener::lists() const {
  absl::MutexLock lock(&mu_);
  return lists_;
}

Membership RecordingMembershipListener::newest() const {
  absl::MutexLock lock(&mu_);
  return lists_.empty() ? Membership() : *lists_.back();
}

std::vector<std::string> RecordingMembershipListener::names() const {
  std::vector<std::string> names;
  for (const Member& member : newest().members) names.push_back(member.name);
  return names;
}

Member RecordingMembershipListener::member(absl::string_view name) const {
  for (const Member& member : newest().members) {
    if (member.name == name) return member;
  }
  return Member();
}

absl::Status MembershipConformanceTest::Start(Member self) {
  in_provider_call = true;
  absl::Status status =
      environment_->provider().Start(std::move(self), listener_);
  in_provider_call = false;
  return status;
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Member Self() {
  return {.name = "me",
          .address = "here:1",
          .incarnation = 17,
          .metadata = {{"zone", "1"}}};
}

Member Other(std::string name, uint64_t incarnation = 1) {
  return {.name = std::move(name),
          .address = "there:1",
          .incarnation = incarnation};
}

TEST_P(MembershipConformanceTest, NodeItselfIsAMemberAsItSays) {
  ASSERT_THAT(Start(Self()), IsOk());
  RunUntil([&] { return !listener().member("me").name.empty(); });
  Member self = listener().member("me");
  EXPECT_GT(self.joined_at, 0);
  self.joined_at = 0;
  EXPECT_EQ(self, Self());
}

TEST_P(MembershipConformanceTest, MembersBeforeTheStartAreTold) {
  environment().SetOthers({Other("b"), Other("a"), Other("z")});
  ASSERT_THAT(Start(Self()), IsOk());
  RunUntil([&] { return listener().names().size() == 4; });
  EXPECT_THAT(listener().names(), ElementsAre("a", "b", "me", "z"));
}

TEST_P(MembershipConformanceTest, JoinAndLeaveAreTold) {
  ASSERT_THAT(Start(Self()), IsOk());
  environment().SetOthers({Other("a"), Other("b")});
  RunUntil([&] { return listener().names().size() == 3; });
  environment().SetOthers({Other("b")});
  RunUntil([&] { return listener().names().size() == 2; });
  EXPECT_THAT(listener().names(), ElementsAre("b", "me"));
}

TEST_P(MembershipConformanceTest, MemberIsToldWithAllItSays) {
  Member other = Other("a", 5);
  other.metadata = {{"zone", "2"}, {"version", "1.0"}};
  environment().SetOthers({other});
  ASSERT_THAT(Start(Self()), IsOk());
  RunUntil([&] { return !listener().member("a").name.empty(); });
  Member heard = listener().member("a");
  heard.joined_at = 0;
  EXPECT_EQ(heard, other);
}

TEST_P(MembershipConformanceTest, NextIncarnationJoinsLater) {
  environment().SetOthers({Other("a", 5)});
  ASSERT_THAT(Start(Self()), IsOk());
  RunUntil([&] { return listener().member("a").incarnation == 5; });
  const uint64_t first = listener().member("a").joined_at;
  environment().SetOthers({Other("a", 6)});
  RunUntil([&] { return listener().member("a").incarnation == 6; });
  EXPECT_GT(listener().member("a").joined_at, first);
  EXPECT_LE(listener().member("a").joined_at, listener().newest().revision);
}

TEST_P(MembershipConformanceTest, MemberThatStaysKeepsWhenItJoined) {
  environment().SetOthers({Other("a")});
  ASSERT_THAT(Start(Self()), IsOk());
  RunUntil([&] { return !listener().member("a").name.empty(); });
  const uint64_t joined_at = listener().member("a").joined_at;
  environment().SetOthers({Other("a"), Other("b")});
  RunUntil([&] { return !listener().member("b").name.empty(); });
  EXPECT_EQ(listener().member("a").joined_at, joined_at);
}

TEST_P(MembershipConformanceTest, NamelessNodeDoesNotStart) {
  Member nameless = Self();
  nameless.name.clear();
  EXPECT_THAT(Start(nameless), StatusIs(absl::StatusCode::kInvalidArgument));
  Member homeless = Self();
  homeless.address.clear();
  EXPECT_THAT(Start(homeless), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(MembershipConformanceTest, ProviderStartsOnce) {
  ASSERT_THAT(Start(Self()), IsOk());
  EXPECT_THAT(Start(Self()), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_P(MembershipConformanceTest, NothingIsToldAfterLeaving) {
  ASSERT_THAT(Start(Self()), IsOk());
  RunUntil([&] { return !listener().names().empty(); });
  environment().provider().Leave();
  environment().provider().Leave();
  environment().SetOthers({Other("late")});
  environment().DestroyProvider();
  EXPECT_THAT(listener().member("late").name, IsEmpty());
}

}  // namespace
}  // namespace troupe::testing
