// Groups whose members are on several nodes.
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/group_book.h"
#include "troupe/cluster/internal/group_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/registry/group_pick.h"
#include "troupe/registry/names.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {

// Counts how often it is written.
struct Weighed {
  static constexpr absl::string_view kWireName = "test.Weighed";
  std::string text;
};
template <>
struct Codec<Weighed> {
  static inline std::atomic<int> written{0};
  static void Encode(const Weighed& message, Encoder& out) {
    ++written;
    out.WriteBytes(message.text);
  }
  static void Decode(Decoder& in, Weighed& message) {
    const absl::string_view text = in.ReadBytes();
    message.text = std::string(text);
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"weighed\""); }
};

namespace {

using internal::GroupWatch;
using internal::Overheard;
using internal::Shout;
using internal::TalkApi;
using internal::Talker;
using internal::TestCluster;
using internal::TestNode;
using internal::Whisper;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::SizeIs;
using testing::StatusIs;

const Group<TalkApi> kLobby("lobby");

// A node that shares the lobby.
struct Site {
  Site(TestCluster& cluster, const std::string& name)
      : node(cluster.Start(name)),
        watch(node->system()),
        groups(watch.groups()) {
    EXPECT_THAT(node->node().Share(kLobby), IsOk());
  }
  Talker::Ref Join(const Group<TalkApi>& group = kLobby) {
    const Talker::Ref talker = node->system().Spawn<Talker>().value();
    EXPECT_THAT(groups.Join(group, talker), IsOk());
    return talker;
  }
  void AwaitMembers(size_t count) { watch.AwaitMembers(kLobby, count); }

  std::unique_ptr<TestNode> node;
  GroupWatch watch;
  Groups& groups;
};

std::vector<std::string> HeardBy(const ActorRef<Overheard>& talker) {
  return talker.Call<Overheard>().Wait().value();
}

class ClusterGroupsTest : public ::testing::Test {
 protected:
  TestCluster cluster_{{"a", "b", "c"}};
};

//
TEST_F(ClusterGroupsTest, MembersOfOtherNodesAreMembers) {
  Site a(cluster_, "a");
  const Talker::Ref early = a.Join();  // Before there is a session.
  Site b(cluster_, "b");
  b.AwaitMembers(1);
  const Talker::Ref here = b.Join();
  a.Join();
  a.AwaitMembers(3);
  b.AwaitMembers(3);
  EXPECT_THAT(b.groups.LocalMembers(kLobby), IsOkAndHolds(ElementsAre(here)));
  EXPECT_THAT(a.groups.LocalMembers(kLobby), IsOkAndHolds(SizeIs(2)));
  // They are references as all others.
  const auto members = b.groups.Members(kLobby).value();
  EXPECT_TRUE(members[0].IsRemote());
  members[0].Send<Shout>("hello");
  const auto other =
      b.node->node().ResolveAndWait<TalkApi>("none@a");  // Behind it.
  EXPECT_THAT(other.status(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(HeardBy(early), ElementsAre("hello"));
}

//
TEST_F(ClusterGroupsTest, OnlyWhatBothShareCrosses) {
  const Group<TalkApi> at_home("at home");
  const Group<TalkApi> elsewhere({.scope = "sales", .name = "lobby"});
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  EXPECT_THAT(a.node->node().Share(elsewhere), IsOk());
  a.Join(at_home);
  a.Join(elsewhere);
  a.Join();
  b.AwaitMembers(1);
  EXPECT_THAT(b.groups.ListScopes(), ElementsAre(""));
  EXPECT_THAT(b.groups.ListGroups(), ElementsAre("lobby"));
  // What was said before somebody asked is said again.
  EXPECT_THAT(b.node->node().Share(elsewhere), IsOk());
  b.watch.AwaitMembers(elsewhere, 1);
  EXPECT_THAT(b.groups.ListScopes(), ElementsAre("", "sales"));
}

TEST_F(ClusterGroupsTest, ScopesAreSharedAsAWhole) {
  const Group<TalkApi> first({.scope = "rooms", .name = "1"});
  const Group<TalkApi> second({.scope = "rooms", .name = "2"});
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  a.Join(first);
  EXPECT_THAT(a.node->node().ShareScope<TalkApi>("rooms"), IsOk());
  EXPECT_THAT(b.node->node().ShareScope<TalkApi>("rooms"), IsOk());
  b.watch.AwaitMembers(first, 1);
  a.Join(second);
  b.watch.AwaitMembers(second, 1);
  EXPECT_THAT(b.groups.ListGroups("rooms"), ElementsAre("1", "2"));
}

TEST_F(ClusterGroupsTest, SharedGroupHasOneProtocol) {
  Site a(cluster_, "a");
  const Talker::Ref talker = a.node->system().Spawn<Talker>().value();
  EXPECT_THAT(a.groups.Join(Group<Shout>("lobby"), talker),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(a.groups.Join(Group<Shout>("other"), talker), IsOk());
  EXPECT_THAT(a.node->node().Share(Group<TalkApi>("other")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(a.node->node().ShareScope<TalkApi>(""),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(a.node->node().Share(Group<Shout>("lobby")),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(a.node->node().Share(Group<TalkApi>("")),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(a.node->node().Share(kLobby), IsOk());
}

//
TEST_F(ClusterGroupsTest, ActorElsewhereIsNotOfThisNode) {
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  a.Join();
  b.AwaitMembers(1);
  const ActorRef<TalkApi> far = b.groups.Members(kLobby).value()[0];
  EXPECT_THAT(b.groups.LocalMembers(kLobby), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(b.groups.Join(kLobby, far),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(b.node->system().Get<Names>().Register("far", far),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(b.groups.Leave(kLobby, far), 0);
  EXPECT_THAT(b.groups.Members(kLobby), IsOkAndHolds(SizeIs(1)));
}

TEST_F(ClusterGroupsTest, SendReachesTheMembersOfAllNodes) {
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  Site c(cluster_, "c");
  std::vector<Talker::Ref> talkers;
  for (Site* const site : {&a, &b, &c}) {
    talkers.push_back(site->Join());
    talkers.push_back(site->Join());
  }
  for (Site* const site : {&a, &b, &c}) site->AwaitMembers(6);
  // In order with what is sent to one of them.
  const auto members = a.groups.Members(kLobby).value();
  for (const auto& member : members) member.Send<Whisper>(1);
  EXPECT_EQ(a.groups.Send<Whisper>(kLobby, 2), 6);
  EXPECT_EQ(a.groups.Send<Shout>(kLobby, "three"), 6);
  for (const auto& member : members) member.Send<Whisper>(4);
  for (const char* const path : {"x@b", "x@c"}) {  // Behind all that.
    (void)a.node->node().ResolveAndWait<TalkApi>(path);
  }
  for (const Talker::Ref& talker : talkers) {
    EXPECT_THAT(HeardBy(talker), ElementsAre("1", "2", "three", "4"));
  }
  for (Site* const site : {&a, &b, &c}) {
    EXPECT_EQ(site->node->system().dead_letters(), 0);
  }
}

TEST_F(ClusterGroupsTest, OneCopyGoesToEachNode) {
  class Scale : public Actor<Weighed, Overheard> {
   public:
    void Handle(const Weighed& m) { heard_.push_back(m.text); }
    std::vector<std::string> Handle(Overheard) { return heard_; }

   private:
    std::vector<std::string> heard_;
  };
  const Group<Weighed> scales("scales");
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  Site c(cluster_, "c");
  std::vector<Scale::Ref> all;
  for (Site* const site : {&a, &b, &c}) {
    EXPECT_THAT(site->node->node().Share(scales), IsOk());
    if (site == &a) continue;
    for (int i = 0; i < 50; ++i) {
      all.push_back(site->node->system().Spawn<Scale>().value());
      EXPECT_THAT(site->groups.Join(scales, all.back()), IsOk());
    }
  }
  a.watch.AwaitMembers(scales, 100);
  Codec<Weighed>::written = 0;
  EXPECT_EQ(a.groups.Send<Weighed>(scales, "heavy"), 100);
  for (const char* const path : {"x@b", "x@c"}) {  // Behind it.
    (void)a.node->node().ResolveAndWait<TalkApi>(path);
  }
  for (const Scale::Ref& scale : all) {
    EXPECT_THAT(HeardBy(scale), ElementsAre("heavy"));
  }
  EXPECT_EQ(Codec<Weighed>::written, 2);
}

TEST_F(ClusterGroupsTest, MembershipIsCountedAcrossNodes) {
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  const Talker::Ref twice = a.Join();
  EXPECT_THAT(a.groups.Join(kLobby, twice), IsOk());
  b.AwaitMembers(2);
  EXPECT_EQ(b.groups.Send<Whisper>(kLobby, 1), 2);
  (void)b.node->node().ResolveAndWait<TalkApi>("x@a");  // Behind it.
  EXPECT_EQ(a.groups.Leave(kLobby, twice), 1);
  b.AwaitMembers(1);
  EXPECT_EQ(b.groups.Send<Whisper>(kLobby, 2), 1);
  (void)b.node->node().ResolveAndWait<TalkApi>("x@a");
  EXPECT_THAT(HeardBy(twice), ElementsAre("1", "1", "2"));
}

TEST_F(ClusterGroupsTest, NobodyIsFoundWhoIsKnownToHaveEnded) {
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  for (int round = 0; round < 20; ++round) {
    const Talker::Ref talker = a.Join();
    b.AwaitMembers(1);
    const auto far = b.groups.Members(kLobby).value()[0];
    talker.Stop();
    EXPECT_THAT(far.Wait(), IsOk());
    EXPECT_THAT(b.groups.Members(kLobby), IsOkAndHolds(IsEmpty()));
  }
}

TEST_F(ClusterGroupsTest, MonitorsAreToldEachChangeInOrder) {
  struct Changes {
    using Reply = std::vector<GroupChanged>;
  };
  class Monitoring : public Actor<GroupChanged, Changes> {
   public:
    void Handle(const GroupChanged& m) { changes_.push_back(m); }
    std::vector<GroupChanged> Handle(Changes) { return changes_; }

   private:
    std::vector<GroupChanged> changes_;
  };
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  const Talker::Ref first = a.Join();
  b.AwaitMembers(1);
  const auto monitor = b.node->system().Spawn<Monitoring>().value();
  EXPECT_THAT(b.groups.Monitor(kLobby, monitor), IsOk());
  const Talker::Ref second = a.node->system().Spawn<Talker>().value();
  const std::vector<ActorRef<TalkApi>> both = {second, first};
  EXPECT_THAT(a.groups.Join(kLobby, both), IsOk());  // One call, one change.
  b.AwaitMembers(3);
  first.Stop();  // Twice a member.
  b.AwaitMembers(1);
  second.Stop();
  b.AwaitMembers(0);
  const std::vector<GroupChanged> changes =
      monitor.Call<Changes>().Wait().value();
  ASSERT_THAT(changes, SizeIs(4));
  EXPECT_THAT(changes[0].joined, SizeIs(1));
  EXPECT_THAT(changes[1].joined, SizeIs(2));
  EXPECT_EQ(changes[1].joined[1], changes[0].joined[0]);
  EXPECT_THAT(changes[2].left,
              ElementsAre(changes[0].joined[0], changes[0].joined[0]));
  EXPECT_THAT(changes[3].left, ElementsAre(changes[1].joined[0]));
  for (size_t i = 1; i < changes.size(); ++i) {
    EXPECT_GT(changes[i].version, changes[i - 1].version);
  }
}

// Clause 31
TEST_F(ClusterGroupsTest, MembersOfANodeThatIsDownAreGone) {
  Site a(cluster_, "a");
  Site c(cluster_, "c");
  c.Join();
  size_t seen_at_down = 99;
  absl::Notification down_told;
  {
    Site b(cluster_, "b");
    b.Join();
    b.Join();
    a.AwaitMembers(3);
    const Subscription down =
        a.node->system().Subscribe<NodeDown>([&](const NodeDown&) {
          seen_at_down = a.groups.Members(kLobby).value().size();
          down_told.Notify();
        });
    b.node->Leave();
    down_told.WaitForNotification();
  }
  EXPECT_EQ(seen_at_down, 1);
  EXPECT_THAT(a.groups.Members(kLobby), IsOkAndHolds(SizeIs(1)));
}

TEST_F(ClusterGroupsTest, RulesSayWhoHearsOfMembersAndMaySend) {
  const Group<TalkApi> secret("secret");
  const std::unique_ptr<TestNode> strict =
      cluster_.Start("a", [](NodeOptions& options) {
        options.authorization.Deny("peer", {Verb::kWatch}, "group:secret")
            .Deny("peer", {Verb::kSend}, "group:lobby");
      });
  TestNode& a = *strict;
  Groups& groups = a.system().Get<Groups>();
  const Talker::Ref talker = a.system().Spawn<Talker>().value();
  Site b(cluster_, "b");
  EXPECT_THAT(b.node->node().Share(secret), IsOk());
  for (const Group<TalkApi>& group : {secret, kLobby}) {
    EXPECT_THAT(a.node().Share(group), IsOk());
    EXPECT_THAT(groups.Join(group, talker), IsOk());
  }
  b.AwaitMembers(1);
  EXPECT_THAT(b.groups.Members(secret), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(b.groups.Send<Shout>(kLobby, "hello"), 1);
  (void)b.node->node().ResolveAndWait<TalkApi>("x@a");  // Behind it.
  EXPECT_THAT(HeardBy(talker), IsEmpty());
  EXPECT_EQ(a.system().dead_letters(), 1);
}

// Else what is sent to the group, and called in it, would be theirs.
TEST_F(ClusterGroupsTest, WhoMayDoNothingWithAGroupIsNoMember) {
  const Group<TalkApi> secret("secret");
  const std::unique_ptr<TestNode> a =
      cluster_.Start("a", [](NodeOptions& options) {
        options.authorization = Authorization::Nothing();
        options.authorization.Allow("peer", {Verb::kWatch}, "group:lobby");
      });
  GroupWatch watch(a->system());
  Site b(cluster_, "b");
  EXPECT_THAT(b.node->node().Share(secret), IsOk());
  b.Join(secret);
  b.Join(kLobby);
  EXPECT_THAT(a->node().Share(secret), IsOk());
  EXPECT_THAT(a->node().Share(kLobby), IsOk());
  watch.AwaitMembers(kLobby, 1);
  b.Join(secret);
  b.Join(kLobby);
  watch.AwaitMembers(kLobby, 2);
  EXPECT_THAT(watch.groups().Members(secret), IsOkAndHolds(IsEmpty()));
}

TEST_F(ClusterGroupsTest, RulesAreForEachGroupOfAScope) {
  const Group<TalkApi> secret("secret");
  const Group<TalkApi> room({.scope = "rooms", .name = "1"});
  const Group<TalkApi> closed({.scope = "rooms", .name = "2"});
  const std::unique_ptr<TestNode> a =
      cluster_.Start("a", [](NodeOptions& options) {
        options.authorization.Deny("peer", {Verb::kWatch}, "group:secret")
            .Deny("peer", {Verb::kWatch}, "group:rooms/")
            .Allow("peer", {Verb::kWatch}, "group:rooms/1");
      });
  EXPECT_THAT(a->node().ShareScope<TalkApi>(""), IsOk());
  EXPECT_THAT(a->node().ShareScope<TalkApi>("rooms"), IsOk());
  Groups& groups = a->system().Get<Groups>();
  const auto join = [&](const Group<TalkApi>& group) {
    const Talker::Ref talker = a->system().Spawn<Talker>().value();
    EXPECT_THAT(groups.Join(group, talker), IsOk());
    return talker;
  };
  std::vector<Talker::Ref> hidden = {join(secret), join(closed)};
  join(kLobby);
  join(room);
  Site b(cluster_, "b");
  EXPECT_THAT(b.node->node().ShareScope<TalkApi>(""), IsOk());
  EXPECT_THAT(b.node->node().ShareScope<TalkApi>("rooms"), IsOk());
  b.AwaitMembers(1);
  b.watch.AwaitMembers(room, 1);
  // And changes.
  hidden.push_back(join(secret));
  hidden.push_back(join(closed));
  join(kLobby);
  join(room);
  b.AwaitMembers(2);
  b.watch.AwaitMembers(room, 2);
  EXPECT_THAT(b.groups.ListGroups(), ElementsAre("lobby"));
  EXPECT_THAT(b.groups.ListGroups("rooms"), ElementsAre("1"));
  for (const Talker::Ref& talker : hidden) {
    const uint64_t id = talker.id().value();
    EXPECT_TRUE(a->node().core().exports().Find(id).actor.IsNull());
  }
}

TEST_F(ClusterGroupsTest, GreatGroupsComeInParts) {
  constexpr size_t kMany = 3 * internal::GroupBook::kMaxMembers + 7;
  Site a(cluster_, "a");
  const Talker::Ref one = a.node->system().Spawn<Talker>().value();
  const Talker::Ref two = a.node->system().Spawn<Talker>().value();
  std::vector<ActorRef<TalkApi>> many(kMany, one);
  many.back() = two;
  EXPECT_THAT(a.groups.Join(kLobby, many), IsOk());
  Site b(cluster_, "b");
  b.AwaitMembers(kMany);  // All at once.
  EXPECT_NE(b.groups.Members(kLobby)->front(),
            b.groups.Members(kLobby)->back());
  EXPECT_THAT(b.groups.Join(kLobby, b.Join()), IsOk());
  a.AwaitMembers(kMany + 2);
  EXPECT_THAT(a.groups.Join(kLobby, many), IsOk());  // A change in parts.
  b.AwaitMembers(2 * kMany + 2);
  EXPECT_EQ(a.groups.Leave(kLobby,
                           std::vector<AnyActorRef>(many.begin(), many.end())),
            kMany);
  b.AwaitMembers(kMany + 2);
  EXPECT_EQ(b.groups.Members(kLobby)->front(), b.groups.Members(kLobby)->at(1));
}

TEST_F(ClusterGroupsTest, PicksAreOfAllNodes) {
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  const Talker::Ref here = b.Join();
  for (int i = 0; i < 3; ++i) a.Join();
  a.AwaitMembers(4);
  b.AwaitMembers(4);
  EXPECT_THAT(b.groups.Pick(kLobby, GroupPick::kLocalFirst),
              IsOkAndHolds(here));
  std::set<std::string> in_turn;
  for (int i = 0; i < 4; ++i) {
    in_turn.insert(b.groups.Pick(kLobby, GroupPick::kRoundRobin)->ToString());
  }
  EXPECT_THAT(in_turn, SizeIs(4));
  std::set<std::string> at_random;
  for (int i = 0; i < 1000; ++i) {
    at_random.insert(b.groups.Pick(kLobby, GroupPick::kRandom)->ToString());
  }
  EXPECT_EQ(at_random, in_turn);
  here.Stop();
  a.AwaitMembers(3);
  EXPECT_TRUE(b.groups.Pick(kLobby, GroupPick::kLocalFirst)->IsRemote());
}

TEST_F(ClusterGroupsTest, AllNodesPickTheSameMemberForAKey) {
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  const auto tell = [](Site& site, int key) {
    site.groups.PickFor(kLobby, key)->Send<Whisper>(key);
  };
  std::vector<Talker::Ref> talkers;
  for (int i = 0; i < 4; ++i) talkers.push_back((i % 2 ? a : b).Join());
  a.AwaitMembers(4);
  b.AwaitMembers(4);
  constexpr int kKeys = 200;
  for (int key = 0; key < kKeys; ++key) {
    tell(a, key);
    tell(b, key);
  }
  (void)a.node->node().ResolveAndWait<TalkApi>("x@b");
  (void)b.node->node().ResolveAndWait<TalkApi>("x@a");
  int keys = 0;
  for (const Talker::Ref& talker : talkers) {
    std::map<std::string, int> counts;
    for (const std::string& key : HeardBy(talker)) ++counts[key];
    for (const auto& [key, count] : counts) EXPECT_EQ(count, 2) << key;
    keys += static_cast<int>(counts.size());
    EXPECT_GT(counts.size(), kKeys / 8);
  }
  EXPECT_EQ(keys, kKeys);
}

struct Ball {
  static constexpr absl::string_view kWireName = "test.Ball";
  int64_t bounces = 0;
  ActorRef<Ball> from;
};

//
TEST_F(ClusterGroupsTest, MembersAnswerEachOtherAcrossNodes) {
  class Player : public Actor<Ball> {
   public:
    explicit Player(absl::Notification& done) : done_(done) {}
    void Handle(const Ball& m) {
      if (m.bounces == 10) return done_.Notify();
      m.from.Send<Ball>(m.bounces + 1, self());
    }

   private:
    absl::Notification& done_;
  };
  const Group<Ball> players("players");
  Site a(cluster_, "a");
  Site b(cluster_, "b");
  absl::Notification done;
  std::vector<Player::Ref> all;
  for (Site* const site : {&a, &b}) {
    EXPECT_THAT(site->node->node().Share(players), IsOk());
    all.push_back(site->node->system().Spawn<Player>(std::ref(done)).value());
    EXPECT_THAT(site->groups.Join(players, all.back()), IsOk());
  }
  a.watch.AwaitMembers(players, 2);
  const auto members = a.groups.Members(players).value();
  for (const auto& member : members) {
    if (member.IsRemote()) member.Send<Ball>(0, all[0]);
  }
  done.WaitForNotification();
}

}  // namespace
}  // namespace troupe
