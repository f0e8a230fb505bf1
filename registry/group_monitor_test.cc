// Monitors of groups (§32): what a monitor is told is what happens, from what
// is there when it begins.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/groups.h"
#include "troupe/registry/internal/group_testing.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::internal::ChatApi;
using ::troupe::internal::Guest;
using ::troupe::internal::Host;
using ::troupe::internal::Hush;
using ::troupe::internal::Say;
using ::troupe::internal::SeenBy;
using ::troupe::testing::IsOk;
using ::troupe::testing::StatusIs;

class GroupMonitorTest : public internal::SystemTest {
 protected:
  Guest::Ref SpawnGuest() { return system->Spawn<Guest>().value(); }
  Host::Ref SpawnHost() { return system->Spawn<Host>().value(); }

  // A change of `group`.
  static auto Joined(const Group<ChatApi>& group,
                     std::vector<AnyActorRef> members) {
    return AllOf(Field(&GroupChanged::group, group.name()),
                 Field(&GroupChanged::joined, members),
                 Field(&GroupChanged::left, IsEmpty()));
  }
  static auto Left(const Group<ChatApi>& group,
                   std::vector<AnyActorRef> members) {
    return AllOf(Field(&GroupChanged::group, group.name()),
                 Field(&GroupChanged::joined, IsEmpty()),
                 Field(&GroupChanged::left, members));
  }

  const std::unique_ptr<ActorSystem> system = MakeSystem();
  Groups& groups = system->Get<Groups>();
  const Group<ChatApi> lobby{"lobby"};
  const Group<ChatApi> kitchen{"kitchen"};
  const Group<ChatApi> sales{GroupName{.scope = "sales", .name = "lobby"}};
};

INSTANTIATE_TEST_SUITE_P(Executors, GroupMonitorTest, internal::AllExecutors());

// Joins in its start.
class Early : public Actor<ChatApi> {
 public:
  explicit Early(Groups& groups) : groups_(groups) {}
  absl::Status PreStart() {
    return groups_.Join(Group<ChatApi>("lobby"), self());
  }
  void Handle(const Say&) {}
  void Handle(Hush) {}

 private:
  Groups& groups_;
};

//
TEST_P(GroupMonitorTest, RegisteringTwiceIsOneMonitor) {
  const auto host = SpawnHost();
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  const auto guest = system->Spawn<Early>(groups).value();
  EXPECT_THAT(SeenBy(host), ElementsAre(Joined(lobby, {guest})));
  EXPECT_THAT(guest.KillAndWait(), IsOk());
  EXPECT_THAT(SeenBy(host),
              ElementsAre(Joined(lobby, {guest}), Left(lobby, {guest})));
}

//
TEST_P(GroupMonitorTest, ScopeMonitorHearsOfEachChangeOnce) {
  const auto host = SpawnHost();
  EXPECT_THAT(groups.Monitor(GroupRange::Scope(""), host), IsOk());
  EXPECT_THAT(groups.Monitor(GroupRange::Scope(""), host), IsOk());
  const auto one = SpawnGuest();
  const auto two = SpawnGuest();
  EXPECT_THAT(groups.Join(lobby, one), IsOk());
  EXPECT_THAT(groups.Join(kitchen, two), IsOk());
  EXPECT_THAT(groups.Join(sales, two), IsOk());
  groups.Leave(lobby, one);
  EXPECT_THAT(two.StopAndWait(), IsOk());
  EXPECT_THAT(SeenBy(host),
              ElementsAre(Joined(lobby, {one}), Joined(kitchen, {two}),
                          Left(lobby, {one}), Left(kitchen, {two})));
}

TEST_P(GroupMonitorTest, MonitorOfAllHearsOfEveryScope) {
  const auto host = SpawnHost();
  EXPECT_THAT(groups.Monitor(GroupRange::All(), host), IsOk());
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(groups.Join(sales, guest), IsOk());
  EXPECT_THAT(SeenBy(host),
              ElementsAre(Joined(lobby, {guest}), Joined(sales, {guest})));
}

//
TEST_P(GroupMonitorTest, ItBeginsWithWhatIsThere) {
  const auto one = SpawnGuest();
  const auto two = SpawnGuest();
  EXPECT_THAT(groups.Join(sales, one), IsOk());
  EXPECT_THAT(groups.Join(lobby, one), IsOk());
  EXPECT_THAT(groups.Join(lobby, {two, one}), IsOk());
  const auto of_group = SpawnHost();
  const auto of_scope = SpawnHost();
  const auto of_all = SpawnHost();
  EXPECT_THAT(groups.Monitor(lobby, of_group), IsOk());
  EXPECT_THAT(groups.Monitor(GroupRange::Scope("sales"), of_scope), IsOk());
  EXPECT_THAT(groups.Monitor(GroupRange::All(), of_all), IsOk());
  EXPECT_THAT(groups.Join(sales, two), IsOk());
  EXPECT_THAT(SeenBy(of_group), ElementsAre(Joined(lobby, {one, two, one})));
  EXPECT_THAT(SeenBy(of_scope),
              ElementsAre(Joined(sales, {one}), Joined(sales, {two})));
  EXPECT_THAT(SeenBy(of_all),
              ElementsAre(Joined(lobby, {one, two, one}), Joined(sales, {one}),
                          Joined(sales, {two})));
}

//
TEST_P(GroupMonitorTest, DemonitorEndsIt) {
  const auto host = SpawnHost();
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  EXPECT_THAT(groups.Monitor(GroupRange::Scope(""), host), IsOk());
  EXPECT_THAT(groups.Monitor(GroupRange::All(), host), IsOk());
  EXPECT_TRUE(groups.Demonitor(GroupRange::Scope(""), host));
  EXPECT_TRUE(groups.Demonitor(GroupRange::All(), host));
  EXPECT_FALSE(groups.Demonitor(GroupRange::All(), host));
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(SeenBy(host), ElementsAre(Joined(lobby, {guest})));
  EXPECT_TRUE(groups.Demonitor(lobby, host));
  EXPECT_FALSE(groups.Demonitor(lobby, host));
  EXPECT_FALSE(groups.Demonitor(kitchen, host));
  groups.Leave(lobby, guest);
  EXPECT_THAT(SeenBy(host), SizeIs(1));
}

// Ends its monitor at the first change, when others wait already.
class Fickle : public Actor<GroupChanged, internal::Seen, Hush> {
 public:
  explicit Fickle(Groups& groups) : groups_(groups) {}
  // Makes changes that it cannot handle yet.
  void Handle(Hush) {
    const Group<Hush> room("room");
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(groups_.Join(room, self()), IsOk());
    }
  }
  void Handle(const GroupChanged& m) {
    seen_.push_back(m);
    EXPECT_TRUE(groups_.Demonitor(GroupRange::All(), self()));
  }
  std::vector<GroupChanged> Handle(internal::Seen) { return seen_; }

 private:
  Groups& groups_;
  std::vector<GroupChanged> seen_;
};

TEST_P(GroupMonitorTest, NothingArrivesAfterDemonitor) {
  const auto fickle = system->Spawn<Fickle>(groups).value();
  EXPECT_THAT(groups.Monitor(GroupRange::All(), fickle), IsOk());
  fickle.Send<Hush>();
  EXPECT_THAT(fickle.Call<internal::Seen>().Wait(), IsOk());
  // Now the changes have been sent.
  EXPECT_THAT(fickle.Call<internal::Seen>().Wait().value(), SizeIs(1));
  EXPECT_EQ(groups.LeaveAll(fickle), 3u);
  EXPECT_THAT(fickle.Call<internal::Seen>().Wait().value(), SizeIs(1));
  EXPECT_EQ(system->dead_letters(), 0u);
}

TEST_P(GroupMonitorTest, MonitoringAgainBeginsAgain) {
  const auto host = SpawnHost();
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  EXPECT_TRUE(groups.Demonitor(lobby, host));
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  EXPECT_THAT(SeenBy(host), ElementsAre(Joined(lobby, {guest})));
}

//
TEST_P(GroupMonitorTest, ChangesListWhatTheCallDid) {
  const auto host = SpawnHost();
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Join(lobby, {guest, guest}), IsOk());
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_EQ(groups.Leave(lobby, {guest, guest}), 2u);
  EXPECT_EQ(groups.Leave(lobby, guest), 1u);
  EXPECT_EQ(groups.Leave(lobby, guest), 0u);
  EXPECT_THAT(SeenBy(host),
              ElementsAre(Joined(lobby, {guest, guest}), Joined(lobby, {guest}),
                          Left(lobby, {guest, guest}), Left(lobby, {guest})));
}

TEST_P(GroupMonitorTest, EndIsOneChangeForEachGroup) {
  const auto host = SpawnHost();
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Join(sales, {guest, guest}), IsOk());
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(groups.Monitor(GroupRange::All(), host), IsOk());
  EXPECT_THAT(guest.StopAndWait(), IsOk());
  EXPECT_THAT(SeenBy(host),
              ElementsAre(Joined(lobby, {guest}), Joined(sales, {guest, guest}),
                          Left(sales, {guest, guest}), Left(lobby, {guest})));
}

//
TEST_P(GroupMonitorTest, EndRemovesOnlyTheActorsOwn) {
  const auto ends = SpawnHost();
  const auto stays = SpawnHost();
  const Group<GroupChanged> hosts("hosts");
  for (const auto& host : {ends, stays}) {
    EXPECT_THAT(groups.Join(hosts, host), IsOk());
    EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
    EXPECT_THAT(groups.Monitor(GroupRange::Scope("sales"), host), IsOk());
    EXPECT_THAT(groups.Monitor(GroupRange::All(), host), IsOk());
  }
  EXPECT_THAT(ends.StopAndWait(), IsOk());
  EXPECT_FALSE(groups.Demonitor(lobby, ends));
  EXPECT_FALSE(groups.Demonitor(GroupRange::Scope("sales"), ends));
  EXPECT_FALSE(groups.Demonitor(GroupRange::All(), ends));
  EXPECT_EQ(groups.LeaveAll(ends), 0u);
  const uint64_t letters = system->dead_letters();
  EXPECT_THAT(groups.Join(sales, SpawnGuest()), IsOk());
  EXPECT_EQ(system->dead_letters(), letters);
  // Of `hosts`: who was there, who left. Of the sale: twice.
  EXPECT_THAT(SeenBy(stays), SizeIs(4));
  EXPECT_THAT(groups.Members(hosts)->size(), 1u);
}

TEST_P(GroupMonitorTest, TheDeadCannotMonitor) {
  const auto host = SpawnHost();
  EXPECT_THAT(host.StopAndWait(), IsOk());
  EXPECT_THAT(groups.Monitor(lobby, host),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_FALSE(groups.Demonitor(lobby, host));
}

TEST_P(GroupMonitorTest, MonitorsOwnEndIsNoDeadLetter) {
  const auto host = SpawnHost();
  const Group<GroupChanged> hosts("hosts");
  EXPECT_THAT(groups.Monitor(hosts, host), IsOk());
  EXPECT_THAT(groups.Join(hosts, host), IsOk());
  EXPECT_THAT(SeenBy(host), SizeIs(1));
  EXPECT_THAT(host.StopAndWait(), IsOk());
  EXPECT_EQ(system->dead_letters(), 0u);
}

// A full mailbox keeps messages out, but not changes.
TEST_P(GroupMonitorTest, FullMailboxRefusesNoChange) {
  const auto host =
      system->Spawn<Host>(SpawnOptions{.mailbox = {.messages = 1}}).value();
  EXPECT_THAT(groups.Monitor(lobby, host), IsOk());
  const auto guest = SpawnGuest();
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  }
  EXPECT_THAT(SeenBy(host), SizeIs(20));
}

TEST_P(GroupMonitorTest, VersionsTellTheOrderOfAllChanges) {
  const auto host = SpawnHost();
  EXPECT_THAT(groups.Monitor(GroupRange::All(), host), IsOk());
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(groups.Join(sales, guest), IsOk());
  EXPECT_EQ(groups.LeaveAll(guest), 2u);
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  uint64_t last = 0;
  for (const GroupChanged& change : SeenBy(host)) {
    EXPECT_GT(change.version, last);
    last = change.version;
  }
}

// -- the same as events of the system

TEST_P(GroupMonitorTest, ChangesAreEventsToo) {
  std::vector<GroupChanged> seen;
  const auto guest = SpawnGuest();
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  {
    const Subscription subscription = system->Subscribe<GroupChanged>(
        [&](const GroupChanged& change) { seen.push_back(change); });
    EXPECT_THAT(groups.Join(sales, guest), IsOk());
    EXPECT_EQ(groups.LeaveAll(guest), 2u);
  }
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(seen, ElementsAre(Joined(sales, {guest}), Left(lobby, {guest}),
                                Left(sales, {guest})));
}

TEST_P(GroupMonitorTest, SubscriberMayChangeGroups) {
  std::vector<std::string> seen;
  const auto guest = SpawnGuest();
  const Subscription subscription =
      system->Subscribe<GroupChanged>([&](const GroupChanged& change) {
        seen.push_back(absl::StrCat("begin ", change.group.ToString()));
        if (change.group == lobby.name()) {
          EXPECT_THAT(groups.Join(sales, guest), IsOk());
        }
        seen.push_back(absl::StrCat("end ", change.group.ToString()));
      });
  EXPECT_THAT(groups.Join(lobby, guest), IsOk());
  EXPECT_THAT(seen, ElementsAre("begin lobby", "end lobby", "begin sales/lobby",
                                "end sales/lobby"));
}

}  // namespace
}  // namespace troupe
