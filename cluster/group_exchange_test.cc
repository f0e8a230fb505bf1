// How much of groups a peer may have a node keep (clause 35).
#include "troupe/cluster/internal/group_exchange.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/group_items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using troupe::testing::IsOk;
using troupe::testing::StatusIs;

struct News {
  static constexpr absl::string_view kWireName = "test.News";
};

// All groups of the scope "s" are shared. Of memberships and groups together a
// peer may have six.
class GroupExchangeTest : public ::testing::Test {
 protected:
  GroupExchangeTest() {
    EXPECT_THAT(
        node_.groups().Add(GroupRange::Scope("s"), GroupProtocol::Of<News>(),
                           WireTypesOf<News>()),
        IsOk());
    exchange_.Open(/*session_number=*/1);
  }
  ~GroupExchangeTest() override {
    exchange_.Close();
    EXPECT_THAT(system_->Get<Groups>().ListGroups("s"), IsEmpty());
    EXPECT_THAT(system_->Shutdown(), IsOk());
  }
  absl::Status Say(const std::string& group, std::vector<uint64_t> ids,
                   GroupSaidItem::How how = GroupSaidItem::kJoined,
                   bool may_join = true) {
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i < ids.size(); ++i) numbers.push_back(++last_number_);
    return exchange_.OnSaid(
        {++sequence_, "s", group, how, {0}, std::move(ids), numbers}, may_join,
        [](uint64_t, absl::Status&) { return &WireTypeOf<News>(); });
  }
  absl::Status SayLeft(const std::string& group, std::vector<uint64_t> ids) {
    return exchange_.OnLeft({++sequence_, "s", group, std::move(ids)});
  }
  static auto IsTooMuch() {
    return StatusIs(absl::StatusCode::kDataLoss, HasSubstr("too many members"));
  }

  const std::unique_ptr<ActorSystem> system_ =
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = 1}),
                            {});
  NodeCore node_{*system_, {"a", 1}, Authorization()};
  FarCell& peer_ = **node_.CellOf({"b", 1});
  GroupExchange exchange_{node_, peer_, /*max_members=*/6};
  uint64_t sequence_ = 0;
  uint64_t last_number_ = 0;
};

TEST_F(GroupExchangeTest, JoiningAgainAndAgainEndsTheSession) {
  for (int i = 0; i < 5; ++i) EXPECT_THAT(Say("g", {7}), IsOk());
  EXPECT_THAT(Say("g", {7}), IsTooMuch());
}

TEST_F(GroupExchangeTest, GroupsAreCounted) {
  EXPECT_THAT(Say("g", {7}), IsOk());
  EXPECT_THAT(Say("h", {7}), IsOk());
  EXPECT_THAT(Say("i", {7}), IsOk());
  EXPECT_THAT(Say("j", {7}), IsTooMuch());
}

TEST_F(GroupExchangeTest, PartsAreCounted) {
  EXPECT_THAT(Say("g", {7}), IsOk());
  EXPECT_THAT(Say("h", {7, 8}, GroupSaidItem::kAllBegins), IsOk());
  EXPECT_THAT(Say("h", {9, 10}, GroupSaidItem::kAllBegins), IsTooMuch());
}

TEST_F(GroupExchangeTest, WhoLeavesMakesRoom) {
  EXPECT_THAT(Say("g", {7, 7, 8, 9, 10}), IsOk());
  // Only one of its memberships; and who is no member.
  EXPECT_THAT(SayLeft("g", {7, 99}), IsOk());
  EXPECT_THAT(Say("g", {11}), IsOk());
  EXPECT_THAT(SayLeft("g", {7, 8, 9, 10, 11}), IsOk());
  EXPECT_THAT(SayLeft("g", {7}), IsOk());
  // With its last member the group has gone.
  EXPECT_THAT(Say("h", {1, 2, 3, 4, 5}), IsOk());
  EXPECT_THAT(Say("g", {1}), IsTooMuch());
}

TEST_F(GroupExchangeTest, WhatIsSaidInsteadMakesRoom) {
  EXPECT_THAT(Say("g", {1, 2, 3, 4, 5}), IsOk());
  EXPECT_THAT(Say("g", {6, 7, 8, 9, 10}, GroupSaidItem::kAll), IsOk());
  EXPECT_THAT(Say("g", {6}, GroupSaidItem::kAll), IsOk());
  EXPECT_THAT(Say("h", {1, 2, 3}), IsOk());
  // None are members any more.
  EXPECT_THAT(Say("h", {1, 2, 3}, GroupSaidItem::kAll, /*may_join=*/false),
              IsOk());
  EXPECT_THAT(Say("g", {1, 2, 3, 4}), IsOk());
  EXPECT_THAT(Say("g", {1}), IsTooMuch());
}

}  // namespace
}  // namespace troupe::internal
