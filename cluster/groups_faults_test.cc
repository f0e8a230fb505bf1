// What a peer may say of groups that no node says, and peers that mean other
// things by a name (clause 35).
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/events.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/group_book.h"
#include "troupe/cluster/internal/group_items.h"
#include "troupe/cluster/internal/group_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/stranger_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::GroupLeftItem;
using internal::GroupSaidItem;
using internal::GroupSendHead;
using internal::GroupsWantedItem;
using internal::GroupWatch;
using internal::Overheard;
using internal::Shout;
using internal::Stranger;
using internal::TalkApi;
using internal::Talker;
using internal::TestCluster;
using internal::TestNode;
using internal::TypeItem;
using internal::Whisper;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::SizeIs;
using testing::StatusIs;

const Group<TalkApi> kLobby("lobby");

class GroupsFaultsTest : public ::testing::Test {
 protected:
  GroupsFaultsTest() {
    EXPECT_THAT(node_->node().Share(kLobby), IsOk());
    stranger_->BecomePeerOf(*node_, "a");
  }
  void SayTypes() {
    uint32_t number = 0;
    for (const WireType* const type : WireTypesOf<TalkApi>()) {
      stranger_->Say(TypeItem{number++, std::string(type->name), type->shape,
                              type->reply_shape});
    }
  }
  static GroupSaidItem Said(uint64_t sequence, std::vector<uint64_t> ids,
                            uint8_t how = GroupSaidItem::kAll) {
    std::vector<uint64_t> numbers;
    for (size_t i = 0; i < ids.size(); ++i)
      numbers.push_back(100 * sequence + i);
    return {sequence, "", "lobby", how, {0, 1}, std::move(ids), numbers};
  }
  void ExpectsEnd(absl::string_view why) {
    EXPECT_THAT(stranger_->AwaitEnd(), StatusIs(absl::StatusCode::kDataLoss,
                                                HasSubstr(std::string(why))));
    node_->AwaitPeer("b", false);
    EXPECT_THAT(watch_.groups().Members(kLobby), IsOkAndHolds(IsEmpty()));
  }

  TestCluster cluster_{{"a"}};
  std::unique_ptr<TestNode> node_ = cluster_.Start("a");
  GroupWatch watch_{node_->system()};
  std::unique_ptr<Stranger> stranger_ = std::make_unique<Stranger>(cluster_);
};

TEST_F(GroupsFaultsTest, PeerHearsOfWhatItWants) {
  const Talker::Ref talker = node_->system().Spawn<Talker>().value();
  EXPECT_THAT(watch_.groups().Join(kLobby, talker), IsOk());
  const auto wanted = stranger_->Await<GroupsWantedItem>();
  EXPECT_EQ(wanted.name, "lobby");
  stranger_->Say(GroupsWantedItem{"", "secret"});  // Not shared.
  stranger_->Say(GroupsWantedItem{"", "lobby"});
  const auto said = stranger_->Await<GroupSaidItem>();
  EXPECT_EQ(said.sequence, 1);
  EXPECT_EQ(said.name, "lobby");
  EXPECT_EQ(said.how, GroupSaidItem::kAll);
  EXPECT_THAT(said.ids, ElementsAre(talker.id().value()));
  EXPECT_THAT(said.types, SizeIs(2));
  talker.Stop();
  const auto left = stranger_->Await<GroupLeftItem>();
  EXPECT_EQ(left.sequence, 2);
  EXPECT_THAT(left.ids, ElementsAre(talker.id().value()));
}

// Few bytes ask for many.
TEST_F(GroupsFaultsTest, WhatIsWantedAgainIsNotToldAgain) {
  const Talker::Ref talker = node_->system().Spawn<Talker>().value();
  EXPECT_THAT(watch_.groups().Join(kLobby, talker), IsOk());
  (void)stranger_->Await<GroupsWantedItem>();
  for (int i = 0; i < 3; ++i) stranger_->Say(GroupsWantedItem{"", "lobby"});
  EXPECT_EQ(stranger_->Await<GroupSaidItem>().sequence, 1);
  // Behind those that were wanted.
  stranger_->Say(internal::MonitorItem{999'999, 9, 1});
  EXPECT_EQ(stranger_->Await<internal::DownItem>().serial, 1);
  talker.Stop();
  EXPECT_EQ(stranger_->Await<GroupLeftItem>().sequence, 2);
}

TEST_F(GroupsFaultsTest, PartsAreOneChange) {
  SayTypes();
  stranger_->Say(Said(1, {7, 8}, GroupSaidItem::kAllBegins));
  stranger_->Say(Said(2, {9}));
  watch_.AwaitMembers(kLobby, 3);
  // What is told again stays; what is not, goes.
  stranger_->Say(Said(3, {7}));
  watch_.AwaitMembers(kLobby, 1);
}

TEST_F(GroupsFaultsTest, SessionLostBetweenPartsLeavesNothing) {
  SayTypes();
  stranger_->Say(Said(1, {5}));
  watch_.AwaitMembers(kLobby, 1);
  stranger_->Say(Said(2, {7, 8}, GroupSaidItem::kAllBegins));
  stranger_->Leave();
  node_->AwaitPeer("b", false);
  EXPECT_THAT(watch_.groups().ListScopes(), IsEmpty());
}

TEST_F(GroupsFaultsTest, GapEndsTheSession) {
  SayTypes();
  stranger_->Say(Said(1, {7}));
  stranger_->Say(Said(3, {8}));
  ExpectsEnd("the 3th comes behind the 1th");
}

TEST_F(GroupsFaultsTest, GapBeforeALeaveEndsTheSession) {
  SayTypes();
  stranger_->Say(Said(1, {7}));
  stranger_->Say(GroupLeftItem{3, "", "lobby", {7}});
  ExpectsEnd("the 3th comes behind the 1th");
}

TEST_F(GroupsFaultsTest, PartsOfTwoGroupsEndTheSession) {
  SayTypes();
  stranger_->Say(Said(1, {7}, GroupSaidItem::kAllBegins));
  GroupSaidItem other = Said(2, {8});
  other.name = "other";
  stranger_->Say(other);
  ExpectsEnd("does not fit the one before");
}

TEST_F(GroupsFaultsTest, LeaveBetweenPartsEndsTheSession) {
  SayTypes();
  stranger_->Say(Said(1, {7}, GroupSaidItem::kAllBegins));
  stranger_->Say(GroupLeftItem{2, "", "lobby", {7}});
  ExpectsEnd("does not fit the one before");
}

TEST_F(GroupsFaultsTest, MembersWithoutNumbersEndTheSession) {
  GroupSaidItem item = Said(1, {7, 8});
  item.numbers.pop_back();
  stranger_->Say(item);
  ExpectsEnd("does not fit");
}

TEST_F(GroupsFaultsTest, ImpossibleIdsEndTheSession) {
  stranger_->Say(Said(1, {uint64_t{1} << 50}));
  ExpectsEnd("an actor has no id");
}

TEST_F(GroupsFaultsTest, ImpossibleNamesEndTheSession) {
  stranger_->Say(GroupsWantedItem{"", std::string(300, 'x')});
  ExpectsEnd("what is said of groups");
}

// Not even where all groups of the scope are shared, whatever they are called.
TEST_F(GroupsFaultsTest, ImpossibleNamesOfAScopeEndTheSession) {
  EXPECT_THAT(node_->node().ShareScope<TalkApi>("s"), IsOk());
  const auto ends = [this](const auto& say) {
    SayTypes();
    say();
    ExpectsEnd("of a group");
    EXPECT_THAT(watch_.groups().ListGroups("s"), IsEmpty());
    stranger_ = std::make_unique<Stranger>(cluster_);
    stranger_->BecomePeerOf(*node_, "a");
  };
  for (const std::string& name :
       {std::string(), std::string("a\nb"), std::string(256, 'x')}) {
    ends([&] {
      GroupSaidItem said = Said(1, {7});
      said.scope = "s";
      said.name = name;
      stranger_->Say(said);
    });
    ends([&] { stranger_->Say(GroupLeftItem{1, "s", name, {7}}); });
    ends([&] { stranger_->Say(GroupSendHead{"s", name, 0}, "\x7f"); });
  }
}

TEST_F(GroupsFaultsTest, GroupThatIsNotSharedIsPassedOver) {
  SayTypes();
  GroupSaidItem other = Said(1, {8});
  other.name = "other";
  stranger_->Say(other);
  stranger_->Say(GroupLeftItem{2, "", "another", {8}});
  stranger_->Say(Said(3, {8}));
  watch_.AwaitMembers(kLobby, 1);
  EXPECT_THAT(watch_.groups().ListGroups(), ElementsAre("lobby"));
}

TEST_F(GroupsFaultsTest, MembersThatTakeSomethingElseAreNone) {
  const WireTypeList types = WireTypesOf<TalkApi>();
  stranger_->Say(TypeItem{0, std::string(types[0]->name), types[0]->shape, ""});
  stranger_->Say(TypeItem{1, std::string(types[1]->name), "{f8}", ""});
  stranger_->Say(Said(1, {8}));
  stranger_->Say(TypeItem{2, std::string(types[1]->name), types[1]->shape, ""});
  GroupSaidItem fits = Said(2, {9}, GroupSaidItem::kJoined);
  fits.types = {0, 2};
  stranger_->Say(fits);
  watch_.AwaitMembers(kLobby, 1);
  EXPECT_EQ(watch_.groups().Members(kLobby)->front().id().value() & 0xffff, 9);
}

// A peer that takes nothing for a while is told less, and knows all the same.
TEST(GroupBookTest, PeerThatIsBehindCatchesUp) {
  TestCluster cluster({"a"});
  const std::unique_ptr<TestNode> node = cluster.Start("a");
  Groups& groups = node->system().Get<Groups>();
  EXPECT_THAT(node->node().Share(kLobby), IsOk());
  Stranger stranger(cluster);
  stranger.BecomePeerOf(*node, "a", /*data_credit=*/1);
  // This takes the credit; nothing is said behind it.
  (void)stranger.Await<GroupsWantedItem>();
  stranger.Say(GroupsWantedItem{"", "lobby"});
  const Talker::Ref talker = node->system().Spawn<Talker>().value();
  EXPECT_THAT(groups.Join(kLobby, talker), IsOk());
  for (size_t i = 0; i < internal::GroupBook::kMaxWaiting; ++i) {
    EXPECT_THAT(groups.Join(kLobby, talker), IsOk());
    EXPECT_EQ(groups.Leave(kLobby, talker), 1);
  }
  for (int i = 0; i < 2; ++i) EXPECT_THAT(groups.Join(kLobby, talker), IsOk());
  stranger.Say(internal::CreditItem{1 << 30}, TransportLane::kControl);
  uint64_t sequence = 0;
  GroupSaidItem last;
  stranger.AwaitData([&](absl::string_view data) {
    sequence = 0;
    for (Decoder in(data); !in.AtEnd();) {
      const auto kind = static_cast<internal::ItemKind>(in.ReadByte());
      if (kind == GroupSaidItem::kKind) {
        last = internal::ReadItem<GroupSaidItem>(in);
        EXPECT_EQ(last.sequence, ++sequence);
      } else if (kind == GroupLeftItem::kKind) {
        EXPECT_EQ(internal::ReadItem<GroupLeftItem>(in).sequence, ++sequence);
      } else {
        (void)in.ReadBytes();
      }
    }
    return last.ids.size() == 3;  // Which were never told one by one.
  });
  EXPECT_EQ(last.how, GroupSaidItem::kAll);
  EXPECT_EQ(sequence, internal::GroupBook::kMaxWaiting + 1);
}

class GroupLettersTest : public GroupsFaultsTest {
 protected:
  GroupLettersTest()
      : dead_(node_->system().Subscribe<DeadLetter>(
            [this](const DeadLetter& letter) {
              absl::MutexLock lock(&mu_);
              reasons_.push_back(letter.reason);
            })) {
    EXPECT_THAT(watch_.groups().Join(kLobby, talker_), IsOk());
    SayTypes();
  }
  void AwaitDeadLetter(DeadLetter::Reason reason) {
    absl::MutexLock lock(&mu_);
    const auto there = [this] {
      mu_.AssertReaderHeld();
      return !reasons_.empty();
    };
    mu_.Await(absl::Condition(&there));
    EXPECT_THAT(reasons_, ElementsAre(reason));
    reasons_.clear();
  }
  static std::string Bytes(const Shout& message) {
    Encoder out;
    Encode(message, out);
    return std::string(out.bytes());
  }

  const Talker::Ref talker_ = node_->system().Spawn<Talker>().value();
  absl::Mutex mu_;
  std::vector<DeadLetter::Reason> reasons_ ABSL_GUARDED_BY(mu_);
  const Subscription dead_;
};

TEST_F(GroupLettersTest, LetterReachesAllMembers) {
  EXPECT_THAT(watch_.groups().Join(kLobby, talker_), IsOk());
  const std::string shout = Bytes({"hello"});
  stranger_->Say(GroupSendHead{"", "lobby", 0}, shout);
  stranger_->Say(GroupSendHead{"", "nobody", 0}, shout);
  AwaitDeadLetter(DeadLetter::Reason::kNoActor);
  EXPECT_THAT(talker_.Call<Overheard>().Wait(),
              IsOkAndHolds(ElementsAre("hello", "hello")));
}

TEST_F(GroupLettersTest, LetterForAGroupThatIsNotSharedReachesNobody) {
  EXPECT_THAT(watch_.groups().Join(Group<TalkApi>("home"), talker_), IsOk());
  stranger_->Say(GroupSendHead{"", "home", 0}, Bytes({"hello"}));
  AwaitDeadLetter(DeadLetter::Reason::kNoActor);
  EXPECT_THAT(talker_.Call<Overheard>().Wait(), IsOkAndHolds(IsEmpty()));
}

TEST_F(GroupLettersTest, LetterThatMakesNoSenseIsADeadLetter) {
  stranger_->Say(GroupSendHead{"", "lobby", 0}, "\x7f");
  AwaitDeadLetter(DeadLetter::Reason::kUndecodable);
  // Known here, and nothing that the group takes.
  const WireType& other = WireTypeOf<Overheard>();
  EXPECT_THAT(node_->node().Export("talker", talker_), IsOk());
  stranger_->Say(
      TypeItem{2, std::string(other.name), other.shape, other.reply_shape});
  stranger_->Say(GroupSendHead{"", "lobby", 2}, "");
  AwaitDeadLetter(DeadLetter::Reason::kUndecodable);
}

TEST_F(GroupLettersTest, LetterOfAnUnknownTypeEndsTheSession) {
  stranger_->Say(GroupSendHead{"", "lobby", 9}, "");
  EXPECT_THAT(stranger_->AwaitEnd(), StatusIs(absl::StatusCode::kDataLoss,
                                              HasSubstr("not introduced")));
}

}  // namespace
}  // namespace troupe
