// What a peer may say of subscriptions that no node says (clause 35).
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/made_up_refs_testing.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/internal/port_items.h"
#include "troupe/cluster/internal/stranger_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ports.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/publishes.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::kWriters;
using internal::MadeUpRef;
using internal::MadeUpRefs;
using internal::PortEndItem;
using internal::PortLeftItem;
using internal::PortOpenItem;
using internal::PortTakenItem;
using internal::PublishedAgainItem;
using internal::PublishedHead;
using internal::SendHead;
using internal::Stranger;
using internal::TestCluster;
using internal::TestNode;
using internal::TypeItem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

struct Price {
  static constexpr absl::string_view kWireName = "test.Price";
  int64_t cents = 0;
};
struct Rumour {
  static constexpr absl::string_view kWireName = "test.Rumour";
  std::string text;
};
struct Follow {
  static constexpr absl::string_view kWireName = "test.Follow";
  ActorRef<Subscribe<Price>> port;
};
struct Read {
  static constexpr absl::string_view kWireName = "test.Read";
  using Reply = std::vector<int64_t>;
};
struct Follows {
  using Reply = bool;
};

// Takes rumours too, but has not asked for them.
class Follower : public Actor<Price, Rumour, Follow, Read, Follows> {
 public:
  void Handle(Price m) { read_.push_back(m.cents); }
  void Handle(const Rumour&) { read_.push_back(-1); }
  void Handle(const Follow& m) { prices_ = SubscribeTo<Price>(m.port, self()); }
  std::vector<int64_t> Handle(Read) { return read_; }
  bool Handle(Follows) { return prices_.is_active(); }

 private:
  std::vector<int64_t> read_;
  PortSubscription prices_;
};

// The stranger has a port, its actor 7; the follower has subscribed, and its
// token is 1.
class PortsFaultsTest : public ::testing::Test {
 protected:
  PortsFaultsTest() {
    EXPECT_THAT(
        node_->node().Export("follower",
                             ActorRef<Price, Rumour, Follow, Read>(follower_)),
        IsOk());
    stranger_->BecomePeerOf(*node_, "a");
    Introduce<Price>(0);
    Introduce<Rumour>(1);
    Introduce<Follow>(2);
    MadeUpRefs refs({{kWriters, 7}});
    Encoder payload(&refs);
    Encode(Follow{}, payload);
    stranger_->Say(SendHead{follower_.id().value(), 2, false}, payload.bytes());
    (void)stranger_->Await<SendHead>();  // The Subscribe.
  }
  template <typename M>
  void Introduce(uint64_t number) {
    const WireType& type = WireTypeOf<M>();
    stranger_->Say(
        TypeItem{number, std::string(type.name), type.shape, type.reply_shape});
  }
  template <typename M>
  void Publish(uint64_t number, uint64_t type, const M& message) {
    Encoder payload;
    Encode(message, payload);
    stranger_->Say(PublishedHead{number, type}, payload.bytes());
  }
  void ExpectEnd(absl::string_view why) {
    EXPECT_THAT(stranger_->AwaitEnd(), StatusIs(absl::StatusCode::kDataLoss,
                                                HasSubstr(std::string(why))));
    node_->AwaitPeer("b", false);
    EXPECT_THAT(follower_.Call<Follows>().Wait(), IsOkAndHolds(false));
  }
  // What the follower has read when the node has taken all that was said.
  std::vector<int64_t> ReadAtTheEnd() {
    stranger_->Leave();
    node_->AwaitPeer("b", false);
    return follower_.Call<Read>().Wait().value();
  }

  TestCluster cluster_{{"a"}};
  std::unique_ptr<TestNode> node_ = cluster_.Start("a");
  const Follower::Ref follower_ = node_->system().Spawn<Follower>().value();
  std::unique_ptr<Stranger> stranger_ = std::make_unique<Stranger>(cluster_);
};

TEST_F(PortsFaultsTest, PublishedMessagesArrive) {
  stranger_->Say(PortOpenItem{3, 1});
  Publish(3, 0, Price{5});
  Publish(3, 0, Price{6});
  EXPECT_THAT(ReadAtTheEnd(), ElementsAre(5, 6));
  EXPECT_THAT(follower_.Call<Follows>().Wait(), IsOkAndHolds(false));
}

TEST_F(PortsFaultsTest, OneCopyIsForSeveralSubscriptions) {
  stranger_->Say(PortOpenItem{3, 1});
  stranger_->Say(PortOpenItem{4, 0, follower_.id().value(), 0, 10});
  stranger_->Say(PortOpenItem{5, 0, follower_.id().value(), 0, 10});
  Encoder payload;
  Encode(Price{5}, payload);
  Encoder frame;
  AppendItem(PublishedHead{9, 0}, payload.bytes(), frame);  // For nobody.
  AppendItem(PublishedAgainItem{3}, frame);
  AppendItem(PublishedAgainItem{4}, frame);
  AppendItem(PublishedAgainItem{5}, frame);
  stranger_->SayRaw(std::string(frame.bytes()));
  Publish(5, 0, Price{6});
  EXPECT_THAT(ReadAtTheEnd(), ElementsAre(5, 5, 5, 6));
}

TEST_F(PortsFaultsTest, CopyOfNothingEndsTheSession) {
  stranger_->Say(PortOpenItem{3, 1});
  Publish(3, 0, Price{5});
  stranger_->Say(PublishedAgainItem{3});  // In another frame.
  ExpectEnd("nothing was published that comes again");
}

TEST_F(PortsFaultsTest, WhatItTakesIsSaidInParts) {
  stranger_->Say(PortOpenItem{3, 1});
  for (int i = 0; i < 1024 / 8; ++i) Publish(3, 0, Price{i});
  const auto taken = stranger_->Await<PortTakenItem>();
  EXPECT_EQ(taken.number, 3);
  EXPECT_EQ(taken.messages, 1024 / 8);
}

TEST_F(PortsFaultsTest, AnotherTypeThanWasAskedForIsADeadLetter) {
  stranger_->Say(PortOpenItem{3, 1});
  Publish(3, 1, Rumour{"hm"});
  Publish(3, 0, Price{6});
  EXPECT_THAT(ReadAtTheEnd(), ElementsAre(6));
  EXPECT_EQ(node_->system().dead_letters(), 1);
}

TEST_F(PortsFaultsTest, SubscriptionHasOneType) {
  // One that nobody has asked for, as a port there makes it.
  stranger_->Say(PortOpenItem{4, 0, follower_.id().value(), 0, 10});
  Publish(4, 1, Rumour{"hm"});
  Publish(4, 0, Price{6});
  EXPECT_THAT(ReadAtTheEnd(), ElementsAre(-1));
  EXPECT_EQ(node_->system().dead_letters(), 1);
}

TEST_F(PortsFaultsTest, MessageThatMakesNoSenseIsADeadLetter) {
  stranger_->Say(PortOpenItem{3, 1});
  stranger_->Say(PublishedHead{3, 0}, "\x7f");
  Publish(3, 0, Price{6});
  EXPECT_THAT(ReadAtTheEnd(), ElementsAre(6));
  EXPECT_EQ(node_->system().dead_letters(), 1);
}

TEST_F(PortsFaultsTest, WhatNobodyWantsIsPassedOver) {
  Publish(9, 0, Price{1});              // Never begun.
  stranger_->Say(PortOpenItem{8, 55});  // Never asked for.
  EXPECT_EQ(stranger_->Await<PortLeftItem>().number, 8);
  Publish(8, 0, Price{2});
  stranger_->Say(PortOpenItem{4, 0, 999, 0, 10});  // No such actor.
  stranger_->AwaitData([](absl::string_view data) {
    int left = 0;
    for (Decoder in(data); !in.AtEnd();) {
      if (static_cast<internal::ItemKind>(in.ReadByte()) ==
          PortLeftItem::kKind) {
        ++left;
      }
      (void)in.ReadBytes();
    }
    return left == 2;  // It, too.
  });
  Publish(4, 0, Price{3});
  stranger_->Say(PortTakenItem{77, 1});
  stranger_->Say(PortLeftItem{77});
  stranger_->Say(PortEndItem{77, true});
  stranger_->Say(PortOpenItem{3, 1});
  stranger_->Say(PortEndItem{3, false});
  Publish(3, 0, Price{4});  // Behind the end.
  EXPECT_THAT(ReadAtTheEnd(), IsEmpty());
}

TEST_F(PortsFaultsTest, NumberThatBeginsTwiceEndsTheSession) {
  stranger_->Say(PortOpenItem{3, 1});
  stranger_->Say(PortOpenItem{3, 0, follower_.id().value(), 0, 10});
  ExpectEnd("it has begun before");
}

TEST_F(PortsFaultsTest, TokenThatIsTakenTwiceEndsTheSession) {
  stranger_->Say(PortOpenItem{3, 1});
  stranger_->Say(PortOpenItem{4, 1});
  ExpectEnd("another one has its token");
}

TEST_F(PortsFaultsTest, ImpossibleOptionsEndTheSession) {
  stranger_->Say(PortOpenItem{3, 0, follower_.id().value(), 9, 10});
  ExpectEnd("nobody can subscribe so");
}

TEST_F(PortsFaultsTest, UnknownTypeEndsTheSession) {
  stranger_->Say(PortOpenItem{3, 1});
  Publish(3, 9, Price{});
  ExpectEnd("was not introduced");
}

class Ticker : public Actor<Subscribe<Price>, Unsubscribe<Price>>,
               public Publishes<Price> {};

// What one costs a node is more than what asks for it.
TEST(PortLimitsTest, MoreSubscriptionsThanMayBeKeptAreOverAtOnce) {
  TestCluster cluster({"a"});
  const std::unique_ptr<TestNode> node = cluster.Start(
      "a", [](NodeOptions& options) { options.kept_for_peer = 2; });
  Stranger stranger(cluster);
  const Ticker::Ref ticker = node->system().Spawn<Ticker>().value();
  ASSERT_THAT(node->node().Export("ticker", ticker), IsOk());
  stranger.BecomePeerOf(*node, "a");
  const WireType& type = WireTypeOf<Subscribe<Price>>();
  stranger.Say(
      TypeItem{0, std::string(type.name), type.shape, type.reply_shape});
  const auto subscribe = [&](uint64_t token) {
    Encoder payload;
    payload.WriteSized([&](Encoder& fields) {
      for (const uint64_t ref_part : {1, 9}) fields.WriteVarint(ref_part);
      fields.WriteByte(0);  // Lossless,
      fields.WriteVarint(10);
      fields.WriteVarint(0);  // nothing from before,
      fields.WriteByte(0);    // and not instead of another one.
      fields.WriteVarint(token);
    });
    stranger.Say(SendHead{ticker.id().value(), 0, false}, payload.bytes());
  };
  for (uint64_t token = 1; token <= 3; ++token) subscribe(token);
  const auto end = stranger.Await<PortEndItem>();
  EXPECT_EQ(end.number, 3);
  EXPECT_TRUE(end.cancelled);
  EXPECT_EQ(node->node().Tables().subscriptions, 2);
  // There is room again.
  stranger.Say(PortLeftItem{1});
  stranger.AwaitData([](absl::string_view data) {
    return absl::EndsWith(data, internal::FrameOf(PortEndItem{1, true}));
  });
  subscribe(4);
  stranger.AwaitData([](absl::string_view data) {
    return absl::EndsWith(data,
                          internal::FrameOf(PortOpenItem{4, 4, 9, 0, 10}));
  });
  EXPECT_EQ(node->node().Tables().subscriptions, 2);
}

struct Introduce {
  static constexpr absl::string_view kWireName = "test.Introduce";
  std::vector<ActorRef<Price>> readers;
};
// Lets them have a price each time.
class Announcer : public Actor<Introduce> {
 public:
  explicit Announcer(absl::Notification& published) : published_(published) {}
  void Handle(const Introduce& m) {
    for (const ActorRef<Price>& reader : m.readers) {
      subscriptions_.push_back(port_.Subscribe(reader));
    }
    port_.Publish(1);
    port_.Publish(2);
    published_.Notify();
  }

 private:
  absl::Notification& published_;
  OutputPort<Price> port_;
  std::vector<PortSubscription> subscriptions_;
};

// The stranger takes nothing until all has been published: so that it goes in
// one frame.
TEST(PortCopiesTest, OneIsSentForAllSubscribersOfANode) {
  TestCluster cluster({"a"});
  const std::unique_ptr<TestNode> node = cluster.Start("a");
  Stranger stranger(cluster);
  absl::Notification published;
  const Announcer::Ref announcer =
      node->system().Spawn<Announcer>(std::ref(published)).value();
  ASSERT_THAT(node->node().Export("announcer", announcer), IsOk());
  stranger.BecomePeerOf(*node, "a", /*data_credit=*/0);
  const WireType& type = WireTypeOf<Introduce>();
  stranger.Say(
      TypeItem{0, std::string(type.name), type.shape, type.reply_shape});
  MadeUpRefs refs(std::vector<MadeUpRef>(3, {kWriters, 7}));
  Encoder payload(&refs);
  Encode(Introduce{std::vector<ActorRef<Price>>(3)}, payload);
  stranger.Say(SendHead{announcer.id().value(), 0, false}, payload.bytes());
  published.WaitForNotification();
  stranger.Say(internal::CreditItem{1 << 20}, TransportLane::kControl);

  std::vector<uint64_t> whole;
  std::vector<uint64_t> again;
  stranger.AwaitData([&](absl::string_view data) {
    whole.clear();
    again.clear();
    for (Decoder in(data); !in.AtEnd();) {
      const auto kind = static_cast<internal::ItemKind>(in.ReadByte());
      Decoder item(data.substr(data.size() - in.left()));
      if (kind == PublishedHead::kKind) {
        item.ReadSized([&](Decoder& fields) {
          whole.push_back(internal::ReadItem<PublishedHead>(fields).number);
        });
      } else if (kind == PublishedAgainItem::kKind) {
        again.push_back(internal::ReadItem<PublishedAgainItem>(item).number);
      }
      (void)in.ReadBytes();
    }
    return whole.size() + again.size() == 6;
  });
  EXPECT_THAT(whole, ElementsAre(1, 1));
  EXPECT_THAT(again, ElementsAre(2, 3, 2, 3));
}

}  // namespace
}  // namespace troupe
