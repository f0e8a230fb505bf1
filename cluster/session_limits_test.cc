// What a peer may have a node keep (clause 35): a stranger speaks as a node
// would that asks for too much, or takes nothing of what it asks for.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/send_result.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::AppendItem;
using internal::ItemKind;
using internal::OtherEnd;
using internal::TestCluster;
using internal::TestNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::Property;
using testing::StatusIs;

constexpr absl::StatusCode kExhausted = absl::StatusCode::kResourceExhausted;

struct Count {
  static constexpr absl::string_view kWireName = "test.Count";
  using Reply = int64_t;
};
// Never answers.
class Silent : public Actor<Count> {
 public:
  explicit Silent(absl::Notification& called) : called_(called) {}
  void Handle(const Count&, ReplyTo<int64_t> reply) {
    kept_.push_back(std::move(reply));
    called_.Notify();
  }

 private:
  absl::Notification& called_;
  std::vector<ReplyTo<int64_t>> kept_;
};

constexpr int kStops = 100;
constexpr uint64_t kNobody = 999'999;

struct Hello {
  static constexpr absl::string_view kWireName = "test.Hello";
};
struct Introduce {
  static constexpr absl::string_view kWireName = "test.Introduce";
  ActorRef<Hello> whom;
};
// Has it stop, again and again, then greets it.
class Introduced : public Actor<Introduce> {
 public:
  void Handle(const Introduce& m) {
    for (int i = 0; i < kStops; ++i) m.whom.Stop();
    m.whom.Send<Hello>();
  }
};

struct Show {
  static constexpr absl::string_view kWireName = "test.Show";
  using Reply = int64_t;
  ActorRef<Hello> whom;
};
// Is introduced to somebody, of whom it tells the test.
class Curious : public Actor<Introduce> {
 public:
  Curious(ActorRef<Hello>& whom, absl::Notification& done)
      : whom_(whom), done_(done) {}
  void Handle(const Introduce& m) {
    whom_ = m.whom;
    done_.Notify();
  }

 private:
  ActorRef<Hello>& whom_;
  absl::Notification& done_;
};

class SessionLimitsTest : public ::testing::Test {
 protected:
  void BecomePeer(uint64_t data_credit, uint64_t control_credit = 1 << 20) {
    stranger_ = std::make_shared<OtherEnd>();
    connection_ = transport_.Dial("a", stranger_).value();
    auto hello = OtherEnd::Hello();
    hello.data_credit = data_credit;
    hello.control_credit = control_credit;
    Say(hello);
    ASSERT_EQ(stranger_->AwaitAnswer(), ItemKind::kHello);
    a_->AwaitPeer("b");
  }
  template <typename Item>
  void Say(const Item& item, TransportLane lane = TransportLane::kControl) {
    connection_->Send(lane, internal::FrameOf(item));
  }
  void SayCall(uint64_t to, uint64_t number) {
    Encoder payload;
    Encode(Count{}, payload);
    Encoder frame;
    AppendItem(internal::CallHead{to, 0, number,
                                  absl::ToInt64Nanoseconds(absl::Hours(1)), 0},
               payload.bytes(), frame);
    connection_->Send(TransportLane::kData, std::string(frame.bytes()));
  }
  // Until so many items of that type have come.
  template <typename Item>
  std::vector<Item> Await(size_t count) {
    stranger_->AwaitItems(Item::kKind, count);
    return stranger_->All<Item>();
  }

  absl::Notification called_;
  // Nobody may kill.
  TestCluster cluster_{{"a"}, Authorization()};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a", [](NodeOptions& options) {
    options.kept_for_peer = 3;
    options.outbox_messages = 10;
  });
  std::unique_ptr<ActorSystem> other_ =
      ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport_{cluster_.network(), other_->executor()};
  std::shared_ptr<OtherEnd> stranger_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(SessionLimitsTest, MoreThanMayBeKeptIsRefused) {
  const Silent::Ref actor =
      a_->system().Spawn<Silent>(std::ref(called_)).value();
  ASSERT_THAT(a_->node().Export("actor", actor), IsOk());
  const uint64_t id = actor.id().value();
  BecomePeer(1 << 20);
  Say(internal::TypeItem{0, "test.Count", ShapeOf<Count>(),
                         ShapeOf<OutcomeOf<Count>>()},
      TransportLane::kData);
  // A call, a link and a monitor fill it; lanes are in no order to each other.
  SayCall(id, 1);
  called_.WaitForNotification();
  Say(internal::LinkItem{id, 8, 1});
  Say(internal::MonitorItem{id, 9, 1});

  Say(internal::MonitorItem{id, 9, 2});
  EXPECT_THAT(
      Await<internal::DownItem>(1),
      ElementsAre(AllOf(
          Field(&internal::DownItem::to, 9),
          Field(&internal::DownItem::serial, 2),
          Field(&internal::DownItem::reason,
                Property(&ExitReason::status,
                         StatusIs(kExhausted, HasSubstr("keeps 3 calls")))))));
  Say(internal::LinkItem{id, 10, 1});
  EXPECT_THAT(
      Await<internal::ExitItem>(1),
      ElementsAre(Field(&internal::ExitItem::reason,
                        Property(&ExitReason::status, StatusIs(kExhausted)))));
  SayCall(id, 2);
  EXPECT_THAT(
      Await<internal::FailureItem>(1),
      ElementsAre(Field(&internal::FailureItem::status, StatusIs(kExhausted))));
  Say(internal::AwaitEndItem{id, 1});
  EXPECT_THAT(
      Await<internal::EndedItem>(1),
      ElementsAre(Field(&internal::EndedItem::refused, StatusIs(kExhausted))));

  // There is room again for one.
  Say(internal::DemonitorItem{id, 9, 1});
  Say(internal::MonitorItem{id, 9, 3});
  Say(internal::MonitorItem{id, 9, 4});
  (void)Await<internal::DownItem>(2);
  actor.Kill();
  EXPECT_THAT(Await<internal::DownItem>(3),
              ElementsAre(Field(&internal::DownItem::serial, 2),
                          Field(&internal::DownItem::serial, 4),
                          AllOf(Field(&internal::DownItem::serial, 3),
                                Field(&internal::DownItem::reason,
                                      ExitReason::Killed()))));
}

// 10 messages, and twice what may be kept.
TEST_F(SessionLimitsTest, WhoTakesNoAnswersIsLost) {
  const Silent::Ref actor =
      a_->system().Spawn<Silent>(std::ref(called_)).value();
  ASSERT_THAT(a_->node().Export("actor", actor), IsOk());
  const internal::EndItem kill{actor.id().value(), 3, ExitReason::Killed()};
  BecomePeer(0);
  for (int i = 0; i < 16; ++i) Say(kill);
  Say(internal::CreditItem{1 << 20});
  EXPECT_EQ(Await<internal::RefusedItem>(16).size(), 16);
  connection_->Close(absl::OkStatus());
  a_->AwaitPeer("b", false);

  BecomePeer(0);
  for (int i = 0; i < 17; ++i) Say(kill);
  EXPECT_THAT(stranger_->AwaitEnd(),
              StatusIs(kExhausted, HasSubstr("does not take what it asks for: "
                                             "17 messages and answers")));
  a_->AwaitPeer("b", false);
}

// Each takes one of the numbers that the process has for nodes, for ever.
TEST_F(SessionLimitsTest, NodesThatAPeerSpeaksOfAreLimited) {
  constexpr uint64_t kNodes = 2000;
  constexpr uint64_t kFirst = 3;  // See WireRefs.
  ActorRef<Hello> whom;
  const Curious::Ref actor =
      a_->system().Spawn<Curious>(std::ref(whom), std::ref(called_)).value();
  ASSERT_THAT(a_->node().Export("actor", actor), IsOk());
  BecomePeer(1 << 20);
  internal::NodeCore& core = a_->node().core();
  const auto number_of = [&](const char* name) {
    const internal::FarCell* const cell = core.CellOf(NodeId{name, 1}).value();
    return cell->IdOf(0) >> internal::FarCell::kIdBits;
  };
  const uint64_t before = number_of("before");
  Encoder frame;
  for (uint64_t i = 0; i < kNodes; ++i) {
    AppendItem(internal::NodeItem{kFirst + i, "none", i}, frame);
  }
  AppendItem(internal::TypeItem{0, "test.Introduce", ShapeOf<Introduce>(), ""},
             frame);
  Encoder introduce;  // An actor of the last one, with the id 9.
  Encoder fields;
  fields.WriteVarint(kFirst + kNodes - 1);
  fields.WriteVarint(9);
  introduce.WriteBytes(fields.bytes());
  AppendItem(internal::SendHead{actor.id().value(), 0, false},
             introduce.bytes(), frame);
  connection_->Send(TransportLane::kData, std::string(frame.bytes()));
  called_.WaitForNotification();
  EXPECT_LE(number_of("after") - before, kNodes / 2 + 100);

  EXPECT_EQ(whom.ToString(),
            "actor #9 of one of too many nodes that were heard of");
  EXPECT_EQ(whom.TrySend(Hello{}), SendResult::kUnreachable);
  EXPECT_THAT(whom.Wait(), IsOkAndHolds(ExitReason::NoConnection()));
  ASSERT_THAT(core.types().Learn(WireTypesOf<Show>()), IsOk());
  const AnyActorRef nine = core.CellOf(NodeId{"b", 5}).value()->RefTo(9);
  EXPECT_THAT(ActorRef<Show>(nine.cell(), nine.id().value())
                  .Call<Show>(whom)
                  .Wait()
                  .status(),
              StatusIs(kExhausted, HasSubstr("leads nowhere")));
  // The others are as they were.
  const std::unique_ptr<TestNode> c = cluster_.Start("c");
  a_->AwaitPeer("c");
  EXPECT_EQ(a_->node().Peers().size(), 2);
}

// Whoever ends and begins again, over and over, keeps no other node out.
TEST_F(SessionLimitsTest, IncarnationsOfAPeerAreLimited) {
  internal::NodeCore& core = a_->node().core();
  const uint64_t last = OtherEnd::Hello().incarnation;
  for (size_t i = 1; i <= internal::NodeLimits().of_one_name; ++i) {
    ASSERT_THAT(core.CellOf(NodeId{"b", last + i}), IsOk());
  }
  stranger_ = std::make_shared<OtherEnd>();
  connection_ = transport_.Dial("a", stranger_).value();
  Say(OtherEnd::Hello());
  EXPECT_THAT(stranger_->AwaitEnd(),
              StatusIs(kExhausted, HasSubstr("incarnations of 'b'")));
  const std::unique_ptr<TestNode> c = cluster_.Start("c");
  a_->AwaitPeer("c");
  EXPECT_EQ(a_->node().Peers().size(), 1);
}

// What asks for ends and watches waits for credit, as messages do; only
// heartbeats and credit do not.
TEST_F(SessionLimitsTest, ControlWaitsForCredit) {
  constexpr size_t kCredit = 200;
  const Introduced::Ref actor = a_->system().Spawn<Introduced>().value();
  ASSERT_THAT(a_->node().Export("actor", actor), IsOk());
  BecomePeer(1 << 20, kCredit);
  Encoder frame;
  AppendItem(internal::TypeItem{0, "test.Introduce", ShapeOf<Introduce>(), ""},
             frame);
  // An actor of the stranger's, with the id 9.
  AppendItem(internal::SendHead{actor.id().value(), 0, false}, "\x02\x01\x09",
             frame);
  connection_->Send(TransportLane::kData, std::string(frame.bytes()));
  // All has been asked for; and then the session has written what it may; and
  // then that has come, as control goes before data.
  stranger_->AwaitItems(ItemKind::kSend, 1);
  (void)a_->node().Tables();
  Say(internal::MonitorItem{kNobody, 9, 1});
  EXPECT_EQ(Await<internal::DownItem>(1).size(), 1);
  const auto stops = [this] {
    return stranger_->Count(ItemKind::kEnd, TransportLane::kControl);
  };
  const size_t item_bytes =
      internal::FrameOf(internal::EndItem{9, 2, ExitReason::Normal()}).size();
  EXPECT_GT(stops(), 0);
  EXPECT_LE(stops(), kCredit / item_bytes + 1);
  Say(internal::CreditItem{0, 0, kStops * 100});
  stranger_->AwaitItems(ItemKind::kEnd, kStops, TransportLane::kControl);
  EXPECT_EQ(stops(), kStops);
}

}  // namespace
}  // namespace troupe
