// Groups of actors (§32), on threads and on the deterministic executor.
#include "troupe/registry/groups.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/registry/internal/group_seam.h"
#include "troupe/registry/internal/group_testing.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::internal::ChatApi;
using ::troupe::internal::Guest;
using ::troupe::internal::HeardBy;
using ::troupe::internal::Hush;
using ::troupe::internal::kThreads;
using ::troupe::internal::Say;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class GroupsTest : public internal::SystemTest {
 protected:
  Guest::Ref Spawn() { return system->Spawn<Guest>().value(); }
  std::vector<ActorRef<ChatApi>> Spawn(int count) {
    std::vector<ActorRef<ChatApi>> guests;
    for (int i = 0; i < count; ++i) guests.push_back(Spawn());
    return guests;
  }

  const std::unique_ptr<ActorSystem> system = MakeSystem();
  Groups& groups = system->Get<Groups>();
  const Group<ChatApi> lobby{"lobby"};
  const Group<ChatApi> kitchen{"kitchen"};
  const Group<ChatApi> sales{GroupName{.scope = "sales", .name = "lobby"}};
};

INSTANTIATE_TEST_SUITE_P(Executors, GroupsTest, internal::AllExecutors());

//
TEST_P(GroupsTest, WhoJoinsIsAMember) {
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(groups.Join(sales, guest), IsOk());
  EXPECT_THAT(groups.Members(lobby), IsOkAndHolds(ElementsAre(guest)));
  EXPECT_THAT(groups.Members(sales), IsOkAndHolds(ElementsAre(guest)));
  EXPECT_THAT(groups.Members(kitchen), IsOkAndHolds(IsEmpty()));
}

//
TEST_P(GroupsTest, JoiningTwiceListsGroupsAndScopesOnce) {
  const auto guest = Spawn();
  for (const std::string scope : {"", "sales"}) {
    for (const std::string name : {"kitchen", "lobby"}) {
      const Group<ChatApi> group(GroupName{.scope = scope, .name = name});
      EXPECT_THAT(groups.Join(group, {guest, guest}), IsOk());
      EXPECT_THAT(groups.Members(group),
                  IsOkAndHolds(ElementsAre(guest, guest)));
    }
  }
  EXPECT_THAT(groups.ListScopes(), ElementsAre("", "sales"));
  EXPECT_THAT(groups.ListGroups(), ElementsAre("kitchen", "lobby"));
  EXPECT_THAT(groups.ListGroups("sales"), ElementsAre("kitchen", "lobby"));
  EXPECT_THAT(guest.StopAndWait(), IsOk());
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
  EXPECT_THAT(groups.ListGroups(), IsEmpty());
  EXPECT_THAT(groups.ListGroups("sales"), IsEmpty());
}

//
TEST_P(GroupsTest, MembersAreListedInTheOrderOfJoining) {
  const auto guests = Spawn(10);
  EXPECT_THAT(groups.Join(lobby, guests), IsOk());
  for (const auto& guest : guests) {
    EXPECT_THAT(groups.Join(sales, guest), IsOk());
  }
  EXPECT_THAT(groups.Members(lobby), IsOkAndHolds(ElementsAreArray(guests)));
  EXPECT_THAT(groups.Members(sales), IsOkAndHolds(ElementsAreArray(guests)));
  EXPECT_THAT(groups.LocalMembers(sales),
              IsOkAndHolds(ElementsAreArray(guests)));
  EXPECT_THAT(groups.ListGroups("sales"), ElementsAre("lobby"));
}

//
TEST_P(GroupsTest, GroupsAndScopesStaySeparate) {
  const auto here = Spawn(5);
  const auto there = Spawn(5);
  const auto elsewhere = Spawn(5);
  EXPECT_THAT(groups.Join(lobby, here), IsOk());
  EXPECT_THAT(groups.Join(kitchen, there), IsOk());
  EXPECT_THAT(groups.Join(sales, elsewhere), IsOk());
  EXPECT_THAT(groups.Members(lobby), IsOkAndHolds(ElementsAreArray(here)));
  EXPECT_THAT(groups.Members(kitchen), IsOkAndHolds(ElementsAreArray(there)));
  EXPECT_THAT(groups.Members(sales), IsOkAndHolds(ElementsAreArray(elsewhere)));
}

//
TEST_P(GroupsTest, WhoEndsLeavesAllGroups) {
  const auto stays = Spawn();
  const auto guests = Spawn(3);
  for (const auto& guest : guests) {
    EXPECT_THAT(groups.Join(lobby, guest), IsOk());
    EXPECT_THAT(groups.Join(sales, guest), IsOk());
  }
  EXPECT_THAT(groups.Join(sales, stays), IsOk());
  EXPECT_THAT(guests[0].StopAndWait(), IsOk());
  EXPECT_THAT(groups.Members(lobby),
              IsOkAndHolds(ElementsAre(guests[1], guests[2])));
  EXPECT_THAT(guests[1].KillAndWait(), IsOk());
  EXPECT_THAT(guests[2].DrainAndWait(), IsOk());
  EXPECT_THAT(groups.Members(lobby), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(groups.Members(sales), IsOkAndHolds(ElementsAre(stays)));
  EXPECT_THAT(groups.ListScopes(), ElementsAre("sales"));
}

//
TEST_P(GroupsTest, WhoLeavesIsNoMember) {
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(groups.Join(sales, guest), IsOk());
  EXPECT_EQ(groups.Leave(lobby, guest), 1u);
  EXPECT_THAT(groups.ListGroups(), IsEmpty());
  EXPECT_THAT(groups.Members(sales), IsOkAndHolds(ElementsAre(guest)));
  EXPECT_EQ(groups.Leave(sales, guest), 1u);
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
  EXPECT_EQ(groups.Leave(sales, guest), 0u);
  EXPECT_EQ(groups.LeaveAll(guest), 0u);
}

TEST_P(GroupsTest, MembershipsAreCounted) {
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(lobby, {guest, guest}), IsOk());
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_EQ(groups.Leave(lobby, {guest, guest}), 2u);
  EXPECT_THAT(groups.Members(lobby), IsOkAndHolds(ElementsAre(guest)));
  EXPECT_THAT(groups.Join(kitchen, guest), IsOk());
  EXPECT_EQ(groups.LeaveAll(guest), 2u);
}

//
TEST_P(GroupsTest, TheDeadCannotJoin) {
  const auto guest = Spawn();
  const auto dead = Spawn();
  EXPECT_THAT(dead.StopAndWait(), IsOk());
  EXPECT_THAT(groups.Join(lobby, dead),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr(dead.ToString() + " does not exist")));
  EXPECT_THAT(groups.Join(lobby, Guest::Ref()),
              StatusIs(absl::StatusCode::kNotFound));
  // All or none.
  EXPECT_THAT(groups.Join(lobby, {guest, dead}),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
}

// from the moment at which it takes no more messages.
class Leaver : public Actor<ChatApi> {
 public:
  Leaver(Groups& groups, std::vector<absl::Status>& joined)
      : groups_(groups), joined_(joined) {}
  void Handle(const Say&) { StopSelf(); }
  void Handle(Hush) {
    self().Stop();
    joined_.push_back(groups_.Join(Group<ChatApi>("lobby"), self()));
  }
  void PostStop(const ExitReason&) {
    joined_.push_back(groups_.Join(Group<ChatApi>("lobby"), self()));
  }

 private:
  Groups& groups_;
  std::vector<absl::Status>& joined_;
};

TEST_P(GroupsTest, WhoIsEndingCannotJoin) {
  std::vector<absl::Status> joined;
  const auto newcomer = system->Spawn<Leaver>(groups, joined).value();
  const auto member = system->Spawn<Leaver>(groups, joined).value();
  EXPECT_THAT(groups.Join(lobby, member), IsOk());
  newcomer.Send<Say>("bye");
  EXPECT_THAT(newcomer.Wait(), IsOk());
  member.Send<Hush>();
  EXPECT_THAT(member.Wait(), IsOk());
  EXPECT_THAT(joined, ElementsAre(StatusIs(absl::StatusCode::kNotFound),
                                  StatusIs(absl::StatusCode::kNotFound),
                                  StatusIs(absl::StatusCode::kNotFound)));
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
}

TEST_P(GroupsTest, ActorsOfAnotherSystemAreRefused) {
  const std::unique_ptr<ActorSystem> other = MakeSystem();
  const auto stranger = other->Spawn<Guest>().value();
  EXPECT_THAT(groups.Join(lobby, stranger),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("another system's")));
  EXPECT_THAT(other->Get<Groups>().Join(lobby, stranger), IsOk());
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
}

TEST_P(GroupsTest, NamesThatCannotBeAreRefused) {
  EXPECT_THAT(groups.Join(Group<ChatApi>(""), Spawn()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("empty")));
}

// Joins in its start, which fails.
class StillBorn : public Actor<ChatApi> {
 public:
  explicit StillBorn(Groups& groups) : groups_(groups) {}
  absl::Status PreStart() {
    EXPECT_THAT(groups_.Join(Group<ChatApi>("lobby"), self()), IsOk());
    return absl::DataLossError("lost");
  }
  void Handle(const Say&) {}
  void Handle(Hush) {}

 private:
  Groups& groups_;
};

TEST_P(GroupsTest, StartThatFailsLeavesNothing) {
  EXPECT_THAT(system->Spawn<StillBorn>(groups),
              StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
}

// Looks for an actor when it is told of its end.
class Mourner : public Actor<Hush> {
 public:
  Mourner(Groups& groups, AnyActorRef friend_of, std::vector<size_t>& found)
      : groups_(groups), friend_(friend_of), found_(found) {}
  void PreStart() { Monitor(friend_); }
  void Handle(Hush) {}
  void OnDown(const Down&) {
    found_.push_back(groups_.Members(Group<ChatApi>("lobby"))->size());
    StopSelf();
  }

 private:
  Groups& groups_;
  const AnyActorRef friend_;
  std::vector<size_t>& found_;
};

TEST_P(GroupsTest, MembershipEndsBeforeAnybodyIsTold) {
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(lobby, {guest, guest}), IsOk());
  std::vector<size_t> found;
  const auto mourner = system->Spawn<Mourner>(groups, guest, found).value();
  const Subscription subscription =
      system->Subscribe<ActorEnded>([&](const ActorEnded& event) {
        if (event.actor != guest.id()) return;
        found.push_back(groups.Members(lobby)->size());
      });
  guest.Stop();
  EXPECT_THAT(mourner.Wait(), IsOk());
  EXPECT_THAT(found, ElementsAre(0u, 0u));
}

// -- protocols

TEST_P(GroupsTest, GroupHasTheProtocolOfItsFirstMember) {
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(Group<Say>("lobby"), guest), IsOk());
  EXPECT_THAT(groups.Join(lobby, guest),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("'lobby'"), HasSubstr("Say}"),
                             HasSubstr("Hush}"))));
  EXPECT_THAT(groups.Members(lobby),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(groups.Pick(lobby, GroupPick::kRandom),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(groups.PickFor(lobby, "key"),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(groups.Send<Hush>(lobby), 0u);
  EXPECT_EQ(groups.Send<Say>(lobby, "hi"), 1u);
  EXPECT_THAT(HeardBy(guest), ElementsAre("hi"));
  groups.Leave(lobby, guest);
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
}

TEST_P(GroupsTest, KeyConvertsToOneOfASubset) {
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(Group<Hush, Say>("lobby"), guest), IsOk());
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());  // In another order.
  const Group<Say> speakers = lobby;
  EXPECT_THAT(groups.Members(speakers),
              IsOkAndHolds(ElementsAre(guest, guest)));
}

// -- sending

TEST_P(GroupsTest, SendReachesEachMembership) {
  const auto once = Spawn();
  const auto twice = Spawn();
  EXPECT_THAT(groups.Join(lobby, {once, twice, twice}), IsOk());
  EXPECT_EQ(groups.Send<Say>(lobby, "a"), 3u);
  EXPECT_EQ(groups.Send<Hush>(lobby), 3u);
  once.Send<Say>("b");
  EXPECT_EQ(groups.Send<Say>(kitchen, "c"), 0u);
  EXPECT_THAT(HeardBy(once), ElementsAre("a", "hush", "b"));
  EXPECT_THAT(HeardBy(twice), ElementsAre("a", "a", "hush", "hush"));
}

struct Weighty {
  explicit Weighty(int& made) : made(&made) { ++made; }
  Weighty(const Weighty& other) : made(other.made) { ++*made; }
  int* made;
};
class Reader : public Actor<Weighty> {
 public:
  explicit Reader(std::set<const void*>& seen) : seen_(seen) {}
  void Handle(const Weighty& m) {
    seen_.insert(&m);
    StopSelf();
  }

 private:
  std::set<const void*>& seen_;
};

TEST_P(GroupsTest, AllMembersReadOneMessage) {
  const Group<Weighty> readers("readers");
  std::vector<std::set<const void*>> seen(20);
  for (auto& one : seen) {
    EXPECT_THAT(groups.Join(readers, system->Spawn<Reader>(one).value()),
                IsOk());
  }
  int made = 0;
  EXPECT_EQ(groups.Send<Weighty>(readers, made), 20u);
  EXPECT_TRUE(system->AwaitNoActors());
  EXPECT_EQ(made, 1);
  for (const auto& one : seen) EXPECT_EQ(one, seen[0]);
}

// Speaks to its group when it takes no more messages itself.
class Quitter : public Actor<ChatApi> {
 public:
  Quitter(Groups& groups, size_t& reached)
      : groups_(groups), reached_(reached) {}
  void Handle(const Say&) {}
  void Handle(Hush) {
    self().Stop();
    reached_ = groups_.Send<Say>(Group<ChatApi>("lobby"), "late");
  }

 private:
  Groups& groups_;
  size_t& reached_;
};

TEST_P(GroupsTest, WhatIsNotTakenIsADeadLetter) {
  const auto lives = Spawn();
  size_t reached = 0;
  const auto ends = system->Spawn<Quitter>(groups, reached).value();
  EXPECT_THAT(groups.Join(lobby, {lives, ends}), IsOk());
  ends.Send<Hush>();
  EXPECT_THAT(ends.Wait(), IsOk());
  EXPECT_EQ(reached, 1u);
  EXPECT_EQ(system->dead_letters(), 1u);
  EXPECT_THAT(HeardBy(lives), ElementsAre("late"));
}

// A member speaks to its group.
struct Shout {
  std::string text;
  using Reply = size_t;
};
class Speaker : public Actor<ChatApi, Shout, internal::Heard> {
 public:
  explicit Speaker(Groups& groups) : groups_(groups) {}
  size_t Handle(const Shout& m) {
    return groups_.Send<Say>(Group<ChatApi>("lobby"), m.text);
  }
  void Handle(const Say& m) { heard_.push_back(m.text); }
  void Handle(Hush) {}
  std::vector<std::string> Handle(internal::Heard) { return heard_; }

 private:
  Groups& groups_;
  std::vector<std::string> heard_;
};

TEST_P(GroupsTest, MembersSpeakToTheirGroup) {
  const auto speaker = system->Spawn<Speaker>(groups).value();
  const auto guest = Spawn();
  EXPECT_THAT(groups.Join(lobby, speaker), IsOk());
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(speaker.Call<Shout>("one").Wait(), IsOkAndHolds(2u));
  EXPECT_THAT(speaker.Call<Shout>("two").Wait(), IsOkAndHolds(2u));
  EXPECT_THAT(HeardBy(speaker), ElementsAre("one", "two"));
  EXPECT_THAT(HeardBy(guest), ElementsAre("one", "two"));
}

// -- picking

TEST_P(GroupsTest, RoundRobinGivesEachItsTurn) {
  const auto guests = Spawn(3);
  EXPECT_THAT(groups.Join(lobby, guests), IsOk());
  for (int round = 0; round < 3; ++round) {
    for (const auto& guest : guests) {
      EXPECT_THAT(groups.Pick(lobby, GroupPick::kRoundRobin),
                  IsOkAndHolds(guest));
    }
  }
}

TEST_P(GroupsTest, RandomPicksEachAsOften) {
  const auto guests = Spawn(4);
  EXPECT_THAT(groups.Join(lobby, guests), IsOk());
  std::map<ActorId, int> picked;
  for (int i = 0; i < 4000; ++i) {
    ++picked[groups.Pick(lobby, GroupPick::kRandom)->id()];
  }
  EXPECT_THAT(picked, SizeIs(4));
  // The standard deviation is 27.
  for (const auto& [id, count] : picked) EXPECT_NEAR(count, 1000, 190);
}

TEST_P(GroupsTest, KeyStaysWithItsMember) {
  const auto guests = Spawn(5);
  EXPECT_THAT(groups.Join(lobby, guests), IsOk());
  std::map<int, ActorRef<ChatApi>> before;
  for (int key = 0; key < 100; ++key) {
    before[key] = groups.PickFor(lobby, key).value();
  }
  EXPECT_THAT(groups.Join(lobby, Spawn()), IsOk());
  groups.Leave(lobby, guests[2]);
  int moved = 0;
  for (const auto& [key, owner] : before) {
    const ActorRef<ChatApi> now = groups.PickFor(lobby, key).value();
    EXPECT_NE(now, guests[2]);
    moved += owner != guests[2] && now != owner ? 1 : 0;
  }
  EXPECT_LT(moved, 35);  // Those of who joined: one in six.
}

TEST_P(GroupsTest, NobodyToPickIsNotFound) {
  EXPECT_THAT(groups.Pick(lobby, GroupPick::kRoundRobin),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'lobby'")));
  EXPECT_THAT(groups.PickFor(lobby, 1), StatusIs(absl::StatusCode::kNotFound));
}

// -- members elsewhere. Another system's actor stands for one of another node.

TEST_P(GroupsTest, LocalMembersArePickedFirst) {
  const std::unique_ptr<ActorSystem> node = MakeSystem();
  const auto far = node->Spawn<Guest>().value();
  const auto near = Spawn();
  EXPECT_THAT(groups.Join(lobby, near), IsOk());
  internal::GroupSeam seam(groups);
  EXPECT_TRUE(seam.Replace(1, {lobby.name(),
                               {{far, 1}, {far, 2}},
                               internal::GroupProtocol::Of<ChatApi>()}));
  EXPECT_THAT(groups.Members(lobby), IsOkAndHolds(ElementsAre(near, far, far)));
  EXPECT_THAT(groups.LocalMembers(lobby), IsOkAndHolds(ElementsAre(near)));
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(groups.Pick(lobby, GroupPick::kLocalFirst), IsOkAndHolds(near));
  }
  groups.Leave(lobby, near);
  EXPECT_THAT(groups.Pick(lobby, GroupPick::kLocalFirst), IsOkAndHolds(far));
  seam.Drop(1);
  EXPECT_THAT(groups.ListScopes(), IsEmpty());
}

}  // namespace
}  // namespace troupe
