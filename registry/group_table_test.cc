#include "troupe/registry/group_table.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/registry/group_name.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const GroupName kLobby{.name = "lobby"};
const GroupName kKitchen{.name = "kitchen"};
const GroupName kSales{.scope = "sales", .name = "lobby"};

struct Change {
  std::string group;
  uint64_t version;
  std::vector<int> joined;
  std::vector<int> left;
};

// A table of numbers, and what it told.
struct World {
  auto Tell() {
    return [this](const GroupChange<int>& change) {
      changes.push_back({GroupName{std::string(change.group.scope),
                                   std::string(change.group.name)}
                             .ToString(),
                         change.version,
                         {change.joined.begin(), change.joined.end()},
                         {change.left.begin(), change.left.end()}});
    };
  }
  void Join(const GroupName& group, const std::vector<int>& members) {
    EXPECT_TRUE(table.Join(group, members, Tell()));
  }
  size_t Leave(const GroupName& group, const std::vector<int>& members) {
    return table.Leave(group, members, Tell());
  }
  size_t LeaveAll(int member) { return table.LeaveAll(member, Tell()); }

  std::vector<int> Members(const GroupName& group) {
    const auto view = table.Look(group);
    if (view == nullptr) return {};
    return {view->members().begin(), view->members().end()};
  }
  std::vector<int> LocalMembers(const GroupName& group) {
    const auto view = table.Look(group);
    if (view == nullptr) return {};
    return {view->local_members().begin(), view->local_members().end()};
  }
  int Next(const GroupName& group) { return *table.NextInTurn(group); }

  GroupTable<int> table;
  std::vector<Change> changes;
};

TEST(GroupTableTest, MembersAreInTheOrderOfJoining) {
  World world;
  world.Join(kLobby, {3, 1});
  world.Join(kLobby, {2});
  EXPECT_THAT(world.Members(kLobby), ElementsAre(3, 1, 2));
}

TEST(GroupTableTest, JoiningTwiceCountsTwice) {
  World world;
  world.Join(kLobby, {1});
  world.Join(kLobby, {2, 1});
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1, 2, 1));
  EXPECT_EQ(world.Leave(kLobby, {1}), 1u);
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1, 2));
  EXPECT_EQ(world.Leave(kLobby, {1}), 1u);
  EXPECT_THAT(world.Members(kLobby), ElementsAre(2));
  EXPECT_EQ(world.Leave(kLobby, {1}), 0u);
  EXPECT_THAT(world.Members(kLobby), ElementsAre(2));
}

TEST(GroupTableTest, LeavingMoreOftenThanJoinedTellsWhatLeft) {
  World world;
  world.Join(kLobby, {1, 1});
  EXPECT_EQ(world.Leave(kLobby, {1, 2, 1, 1}), 2u);
  ASSERT_THAT(world.changes, SizeIs(2));
  EXPECT_THAT(world.changes[1].left, ElementsAre(1, 1));
  EXPECT_EQ(world.Leave(kLobby, {1}), 0u);
  EXPECT_THAT(world.changes, SizeIs(2));
}

TEST(GroupTableTest, ScopesKeepGroupsApart) {
  World world;
  world.Join(kLobby, {1});
  world.Join(kSales, {2});
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1));
  EXPECT_THAT(world.Members(kSales), ElementsAre(2));
  EXPECT_EQ(world.Leave(kSales, {1}), 0u);
}

TEST(GroupTableTest, EmptyGroupsAndScopesVanish) {
  World world;
  world.Join(kLobby, {1});
  world.Join(kKitchen, {1});
  world.Join(kSales, {2});
  EXPECT_THAT(world.table.ListScopes(), ElementsAre("", "sales"));
  EXPECT_THAT(world.table.ListGroups(""), ElementsAre("kitchen", "lobby"));
  world.Leave(kLobby, {1});
  EXPECT_THAT(world.table.ListGroups(""), ElementsAre("kitchen"));
  EXPECT_EQ(world.table.Look(kLobby), nullptr);
  EXPECT_EQ(world.table.NextInTurn(kLobby), nullptr);
  world.Leave(kSales, {2});
  EXPECT_THAT(world.table.ListScopes(), ElementsAre(""));
  EXPECT_THAT(world.table.ListGroups("sales"), IsEmpty());
}

TEST(GroupTableTest, NobodyJoiningMakesNoGroup) {
  World world;
  world.Join(kLobby, {});
  EXPECT_THAT(world.table.ListScopes(), IsEmpty());
  EXPECT_THAT(world.changes, IsEmpty());
}

TEST(GroupTableTest, LeaveAllLeavesEveryGroupOnce) {
  World world;
  world.Join(kSales, {1, 2, 1});
  world.Join(kLobby, {1});
  world.Join(kKitchen, {2});
  world.changes.clear();
  EXPECT_TRUE(world.table.Contains(1));
  EXPECT_EQ(world.LeaveAll(1), 3u);
  EXPECT_FALSE(world.table.Contains(1));
  ASSERT_THAT(world.changes, SizeIs(2));
  EXPECT_EQ(world.changes[0].group, "sales/lobby");
  EXPECT_THAT(world.changes[0].left, ElementsAre(1, 1));
  EXPECT_EQ(world.changes[1].group, "lobby");
  EXPECT_THAT(world.Members(kSales), ElementsAre(2));
  EXPECT_THAT(world.Members(kKitchen), ElementsAre(2));
  EXPECT_EQ(world.LeaveAll(1), 0u);
}

TEST(GroupTableTest, ChangesSayWhatTheCallDid) {
  World world;
  world.Join(kLobby, {1, 1});
  world.Join(kLobby, {1});
  world.Leave(kLobby, {1, 1});
  world.Leave(kLobby, {1});
  ASSERT_THAT(world.changes, SizeIs(4));
  EXPECT_THAT(world.changes[0].joined, ElementsAre(1, 1));
  EXPECT_THAT(world.changes[1].joined, ElementsAre(1));
  EXPECT_THAT(world.changes[2].left, ElementsAre(1, 1));
  EXPECT_THAT(world.changes[3].left, ElementsAre(1));
}

TEST(GroupTableTest, VersionsGrowOverTheLifeOfAGroup) {
  World world;
  world.Join(kLobby, {1});
  EXPECT_EQ(world.table.Look(kLobby)->version(), world.changes[0].version);
  world.Leave(kLobby, {1});
  world.Join(kLobby, {1});
  EXPECT_LT(world.changes[0].version, world.changes[1].version);
  EXPECT_LT(world.changes[1].version, world.changes[2].version);
  EXPECT_EQ(world.table.Look(kLobby)->version(), world.changes[2].version);
}

TEST(GroupTableTest, ViewsStayAsTheyWere) {
  World world;
  world.Join(kLobby, {1, 2});
  const auto before = world.table.Look(kLobby);
  EXPECT_EQ(world.table.Look(kLobby), before);  // No copy for each look.
  world.Leave(kLobby, {1});
  EXPECT_THAT(before->members(), ElementsAre(1, 2));
  EXPECT_THAT(world.Members(kLobby), ElementsAre(2));
}

TEST(GroupTableTest, OrderOutlivesHoles) {
  World world;
  std::vector<int> all;
  for (int i = 0; i < 100; ++i) all.push_back(i);
  world.Join(kLobby, all);
  std::vector<int> rest;
  for (const int i : all) {
    if (i % 10 == 3) {
      rest.push_back(i);
    } else {
      world.Leave(kLobby, {i});
    }
  }
  world.Join(kLobby, {1});
  rest.push_back(1);
  EXPECT_EQ(world.Members(kLobby), rest);
  for (const int i : rest) EXPECT_EQ(world.LeaveAll(i), 1u);
  EXPECT_THAT(world.table.ListScopes(), IsEmpty());
}

TEST(GroupTableTest, EachMemberHasItsTurn) {
  World world;
  world.Join(kLobby, {1, 2, 3});
  for (const int expected : {1, 2, 3, 1, 2}) {
    EXPECT_EQ(world.Next(kLobby), expected);
  }
}

TEST(GroupTableTest, TurnsGoOnThroughJoinsAndLeaves) {
  World world;
  world.Join(kLobby, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(world.Next(kLobby), 1);
  EXPECT_EQ(world.Next(kLobby), 2);
  world.Leave(kLobby, {1, 2, 4, 6, 8});  // More than half: holes go.
  EXPECT_EQ(world.Next(kLobby), 3);
  world.Join(kLobby, {9});
  EXPECT_EQ(world.Next(kLobby), 5);
  world.Leave(kLobby, {7});
  EXPECT_EQ(world.Next(kLobby), 9);
  EXPECT_EQ(world.Next(kLobby), 3);
}

TEST(GroupTableTest, TurnBehindTheLastStartsAgainAfterHolesWent) {
  World world;
  world.Join(kLobby, {1, 2, 3, 4});
  for (int i = 0; i < 4; ++i) world.Next(kLobby);
  world.Leave(kLobby, {1, 2, 4});
  world.Join(kLobby, {5});
  EXPECT_EQ(world.Next(kLobby), 5);
  EXPECT_EQ(world.Next(kLobby), 3);
}

TEST(GroupTableTest, AttributeIsThatOfTheFirstMember) {
  GroupTable<int, std::string> table;
  const auto ignore = [](const GroupChange<int>&) {};
  EXPECT_TRUE(table.Join(kLobby, {1}, ignore, "chat"));
  EXPECT_FALSE(table.Join(kLobby, {2}, ignore, "mail"));
  EXPECT_THAT(table.Look(kLobby)->members(), ElementsAre(1));
  EXPECT_EQ(table.Look(kLobby)->attribute(), "chat");
  EXPECT_FALSE(table.Contains(2));
  table.LeaveAll(1, ignore);
  EXPECT_TRUE(table.Join(kLobby, {2}, ignore, "mail"));
}

// -- members that others know of

using Said = GroupTable<int>::Said;
constexpr GroupSource kNorth = 1;
constexpr GroupSource kSouth = 2;

//
TEST(GroupTableTest, OtherSourcesAddToAGroup) {
  World world;
  world.Join(kLobby, {1});
  world.table.Replace(kNorth, {Said{kLobby, {{10, 1}, {11, 2}}}}, world.Tell());
  world.Join(kLobby, {2});
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1, 10, 11, 2));
  EXPECT_THAT(world.LocalMembers(kLobby), ElementsAre(1, 2));
  EXPECT_FALSE(world.table.Contains(10));
  EXPECT_EQ(world.Leave(kLobby, {10}), 0u);
  EXPECT_EQ(world.LeaveAll(10), 0u);
}

TEST(GroupTableTest, OtherSourcesAddAndRemoveMembers) {
  World world;
  world.Join(kLobby, {1});
  world.table.ReplaceIn(kNorth, {kLobby, {{10, 7}}}, world.Tell());
  world.table.Add(kNorth, {kLobby, {{11, 8}, {10, 9}}}, world.Tell());
  world.table.Add(kSouth, {kLobby, {{10, 3}}}, world.Tell());
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1, 10, 11, 10, 10));
  const std::vector<int> ten = {10};
  // The youngest of its own.
  EXPECT_EQ(world.table.Remove(kNorth, kLobby, ten, world.Tell()), 1u);
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1, 10, 11, 10));
  EXPECT_EQ(world.table.Remove(kNorth, kKitchen, ten, world.Tell()), 0u);
  ASSERT_THAT(world.changes, SizeIs(5));
  EXPECT_THAT(world.changes[2].joined, ElementsAre(11, 10));
  EXPECT_THAT(world.changes[4].left, ElementsAre(10));
  world.table.ReplaceIn(kNorth, {kLobby, {}}, world.Tell());
  EXPECT_THAT(world.Members(kLobby), ElementsAre(1, 10));
}

TEST(GroupTableTest, MembersElsewhereAreCountedBySource) {
  World world;
  world.Join(kLobby, {1});
  EXPECT_THAT(world.table.Look(kLobby)->elsewhere(), IsEmpty());
  world.table.Add(kSouth, {kLobby, {{10, 3}}}, world.Tell());
  world.table.Add(kNorth, {kLobby, {{11, 8}, {12, 9}}}, world.Tell());
  world.Join(kLobby, {2});
  const auto view = world.table.Look(kLobby);
  ASSERT_THAT(view->elsewhere(), SizeIs(2));
  EXPECT_EQ(view->elsewhere()[0].source, kSouth);
  EXPECT_EQ(view->elsewhere()[0].first, 10);
  EXPECT_EQ(view->elsewhere()[1].first, 11);
  EXPECT_EQ(view->elsewhere()[1].count, 2u);
  EXPECT_TRUE(view->IsLocal(0));
  EXPECT_FALSE(view->IsLocal(1));
  EXPECT_TRUE(view->IsLocal(4));
}

TEST(GroupTableTest, RenumberingMovesNumbersAlone) {
  World world;
  world.Join(kLobby, {1, 2});
  world.table.Add(kNorth, {kLobby, {{10, 3}}}, world.Tell());
  EXPECT_THAT(world.table.Look(kLobby)->numbers(), ElementsAre(1, 2, 3));
  world.table.Renumber(1000);
  EXPECT_THAT(world.table.Look(kLobby)->numbers(), ElementsAre(1001, 1002, 3));
  world.Join(kLobby, {4});
  EXPECT_THAT(world.table.Look(kLobby)->numbers(),
              ElementsAre(1001, 1002, 3, 1003));
  EXPECT_THAT(world.changes, SizeIs(3));
}

TEST(GroupTableTest, ReplacingTellsTheDifference) {
  World world;
  world.table.Replace(
      kNorth,
      {Said{kSales, {{10, 1}}}, Said{kLobby, {{10, 2}, {11, 3}, {12, 4}}}},
      world.Tell());
  world.changes.clear();
  world.table.Replace(
      kNorth,
      {Said{kLobby, {{13, 7}, {12, 4}, {10, 2}}}, Said{kKitchen, {{10, 8}}}},
      world.Tell());
  ASSERT_THAT(world.changes, SizeIs(3));
  EXPECT_EQ(world.changes[0].group, "kitchen");
  EXPECT_THAT(world.changes[0].joined, ElementsAre(10));
  EXPECT_EQ(world.changes[1].group, "lobby");
  EXPECT_THAT(world.changes[1].joined, ElementsAre(13));
  EXPECT_THAT(world.changes[1].left, ElementsAre(11));
  EXPECT_EQ(world.changes[2].group, "sales/lobby");
  EXPECT_THAT(world.changes[2].left, ElementsAre(10));
  EXPECT_THAT(world.Members(kLobby), ElementsAre(10, 12, 13));
  EXPECT_THAT(world.table.ListScopes(), ElementsAre(""));
}

TEST(GroupTableTest, SayingTheSameAgainIsNoChange) {
  World world;
  const std::vector<Said> said = {{kLobby, {{10, 1}, {10, 2}}}};
  world.table.Replace(kNorth, said, world.Tell());
  world.table.Replace(kNorth, said, world.Tell());
  EXPECT_THAT(world.changes, SizeIs(1));
  EXPECT_THAT(world.Members(kLobby), ElementsAre(10, 10));
}

TEST(GroupTableTest, DroppingASourceLeavesTheOthers) {
  World world;
  world.Join(kLobby, {10});
  world.table.Replace(kNorth, {Said{kLobby, {{10, 1}}}}, world.Tell());
  world.table.Replace(kSouth, {Said{kLobby, {{10, 1}}}}, world.Tell());
  world.changes.clear();
  world.table.Drop(kNorth, world.Tell());
  ASSERT_THAT(world.changes, SizeIs(1));
  EXPECT_THAT(world.changes[0].left, ElementsAre(10));
  EXPECT_THAT(world.Members(kLobby), ElementsAre(10, 10));
  EXPECT_THAT(world.LocalMembers(kLobby), ElementsAre(10));
  world.table.Drop(kSouth, world.Tell());
  world.Leave(kLobby, {10});
  EXPECT_THAT(world.table.ListScopes(), IsEmpty());
}

TEST(GroupTableTest, NumbersAreTheSourcesOwn) {
  World world;
  world.Join(kLobby, {1, 2});
  world.table.Replace(kNorth, {Said{kLobby, {{10, 77}}}}, world.Tell());
  EXPECT_THAT(world.table.Look(kLobby)->numbers(), ElementsAre(1, 2, 77));
  world.Leave(kLobby, {1});
  world.Join(kLobby, {1});
  EXPECT_THAT(world.table.Look(kLobby)->numbers(), ElementsAre(2, 77, 3));
}

TEST(GroupTableTest, GroupOfAnotherAttributeIsPassedOver) {
  GroupTable<int, std::string> table;
  const auto ignore = [](const GroupChange<int>&) {};
  ASSERT_TRUE(table.Join(kLobby, {1}, ignore, "chat"));
  EXPECT_FALSE(table.Replace(
      kNorth, {{kLobby, {{10, 1}}, "mail"}, {kKitchen, {{10, 2}}, "mail"}},
      ignore));
  EXPECT_THAT(table.Look(kLobby)->members(), ElementsAre(1));
  EXPECT_THAT(table.Look(kKitchen)->members(), ElementsAre(10));
}

}  // namespace
}  // namespace troupe
