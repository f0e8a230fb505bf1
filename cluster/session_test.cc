// A session, item by item: what a node says, when, and what it makes of what
// it hears, in virtual time. The other end is the test.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/group_items.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/registry/group.h"
#include "troupe/registry/groups.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::HelloItem;
using internal::House;
using internal::ItemKind;
using internal::Line;
using internal::OtherEnd;
using internal::TestCluster;
using internal::TestNode;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

constexpr TransportLane kControl = TransportLane::kControl;
constexpr TransportLane kData = TransportLane::kData;

struct Note {
  static constexpr absl::string_view kWireName = "test.Note";
  int64_t number = 0;
};
struct Page {
  static constexpr absl::string_view kWireName = "test.Page";
  std::string text;
};
struct Count {
  static constexpr absl::string_view kWireName = "test.Count";
  using Reply = int64_t;
};
// No node was told of it.
struct Secret {
  [[maybe_unused]] static constexpr absl::string_view kWireName = "test.Secret";
  using Reply = int64_t;
};

struct Guests {
  static constexpr absl::string_view kWireName = "test.Guests";
  std::vector<ActorRef<Note>> whom;
};

class SessionTest : public ::testing::Test {
 protected:
  explicit SessionTest(std::vector<std::string> members = {"a"})
      : cluster_(members) {}

  void SetUp() override { a_.Join(cluster_.Options("a", a_.system())); }

  void PlayFor(absl::Duration how_long) {
    Executor& executor = a_.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + how_long);
  }
  void Play() { PlayFor(absl::Milliseconds(1)); }

  // Connects with a, as the node "b" would.
  std::unique_ptr<Line> Connect() {
    auto line = std::make_unique<Line>();
    line->connection = transport_.Dial("a", line->heard).value();
    return line;
  }
  std::unique_ptr<Line> BecomePeer(const HelloItem& hello = OtherEnd::Hello()) {
    std::unique_ptr<Line> line = Connect();
    line->Say(hello);
    Play();
    return line;
  }
  // What a has to reach the actor #9 of b.
  template <typename... Ps>
  ActorRef<Ps...> Nine() {
    EXPECT_THAT((a_.node().core().types().Learn(WireTypesOf<Note, Count>())),
                IsOk());
    internal::FarCell* const cell =
        a_.node().core().CellOf(NodeId{"b", 5}).value();
    const AnyActorRef ref = cell->RefTo(9);
    return ActorRef<Ps...>(ref.cell(), ref.id().value());
  }
  static std::string Answer(uint64_t number, int64_t value) {
    Encoder outcome;
    Encode(absl::StatusOr<int64_t>(value), outcome);
    Encoder frame;
    internal::AppendItem(internal::ReplyHead{number}, outcome.bytes(), frame);
    return std::string(frame.bytes());
  }

  TestCluster cluster_;
  absl::Duration delay_;  // By which the next timer of a is late.
  TestNode a_{ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{
          .timer_delay =
              [this] { return std::exchange(delay_, absl::ZeroDuration()); }}),
      {})};
  InProcessTransport transport_{cluster_.network(), a_.system().executor()};
};

// -- as the one who dials

class DiallingSessionTest : public SessionTest {
 protected:
  DiallingSessionTest() : SessionTest({"a", "b"}) {
    listener_ = transport_.Listen("b", house_).value();
  }
  // The first connection that a makes.
  Line& Dialled() {
    while (house_->size() == 0) Play();
    Play();
    return house_->line(0);
  }

  std::shared_ptr<House> house_ = std::make_shared<House>();
  std::unique_ptr<Listener> listener_;
};

//
TEST_F(DiallingSessionTest, EndsWhenItIsRefused) {
  Line& line = Dialled();
  EXPECT_THAT(line.heard->Kinds(kControl), ElementsAre(ItemKind::kHello));
  line.Say(internal::RefusalItem{absl::PermissionDeniedError("not you")});
  Play();
  EXPECT_TRUE(line.heard->closed());
  EXPECT_THAT(a_.node().Peers(), IsEmpty());
  PlayFor(absl::Minutes(5));
  EXPECT_GT(house_->size(), 1) << "it tries again";
  EXPECT_THAT(a_.history(), IsEmpty());
}

//
TEST_F(DiallingSessionTest, EndsAtAnythingOutOfOrder) {
  Line& line = Dialled();
  line.Say(internal::HeartbeatItem{});
  line.Say(internal::MonitorItem{1, 2, 3});
  Play();
  EXPECT_THAT(line.heard->why(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("hello")));
  EXPECT_THAT(a_.history(), IsEmpty());
}

//
TEST_F(DiallingSessionTest, EndsWhenSomebodyElseAnswers) {
  Line& line = Dialled();
  HelloItem other = OtherEnd::Hello();
  other.name = "x";
  line.Say(other);
  Play();
  EXPECT_EQ(line.heard->Count(ItemKind::kRefusal, kControl), 1);
  EXPECT_THAT(line.heard->why(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                          HasSubstr("and 'x' answers at")));
  EXPECT_THAT(a_.history(), IsEmpty());
}

TEST_F(DiallingSessionTest, EndsWhenNobodyGreets) {
  Line& line = Dialled();
  PlayFor(absl::Seconds(5));
  EXPECT_THAT(line.heard->why(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                          HasSubstr("has not greeted")));
  EXPECT_THAT(a_.history(), IsEmpty());
}

// -- heartbeats

// there is nothing in them that could be false.
TEST_F(SessionTest, HeartbeatsAreHeardAndNothingElse) {
  std::unique_ptr<Line> line = BecomePeer();
  const size_t before = line->heard->Kinds(kControl).size();
  for (int i = 0; i < 1000; ++i) line->Say(internal::HeartbeatItem{});
  line->connection->Send(kControl, std::string("\x10\x05never", 7));
  Play();
  EXPECT_FALSE(line->heard->closed());
  EXPECT_EQ(line->heard->Kinds(kControl).size(), before)
      << "nobody answers a heartbeat";
  // One that ends in the midst of itself makes no sense.
  line->connection->Send(kControl, std::string("\x10\x05ne", 4));
  Play();
  EXPECT_THAT(line->heard->why(), StatusIs(absl::StatusCode::kDataLoss));
}

//
TEST_F(SessionTest, OneLoopOfHeartbeatsForEachSession) {
  for (int session = 0; session < 3; ++session) {
    HelloItem hello = OtherEnd::Hello();
    hello.incarnation += static_cast<uint64_t>(session);
    std::unique_ptr<Line> line = BecomePeer(hello);
    for (int second = 0; second < 20; ++second) {
      line->Say(internal::HeartbeatItem{});
      PlayFor(absl::Seconds(1));
    }
    EXPECT_EQ(line->heard->Count(ItemKind::kHeartbeat, kControl), 10);
    line->connection->Close(absl::OkStatus());
    Play();
    const size_t said = line->heard->Kinds(kControl).size();
    PlayFor(absl::Seconds(20));
    EXPECT_EQ(line->heard->Kinds(kControl).size(), said);
  }
}

// Its peer may be about to give it up.
TEST_F(SessionTest, WhoStoodStillSaysAtOnceThatHeIsThere) {
  std::unique_ptr<Line> line = BecomePeer();
  PlayFor(absl::Milliseconds(2200));
  EXPECT_EQ(line->heard->Count(ItemKind::kHeartbeat, kControl), 1);
  delay_ = absl::Seconds(3);
  PlayFor(absl::Milliseconds(3200));
  EXPECT_EQ(line->heard->Count(ItemKind::kHeartbeat, kControl), 1);
  PlayFor(absl::Milliseconds(200));
  EXPECT_EQ(line->heard->Count(ItemKind::kHeartbeat, kControl), 2);
}

TEST_F(SessionTest, PeerThatSaysNothingIsDown) {
  std::unique_ptr<Line> line = BecomePeer();
  PlayFor(absl::Seconds(8));
  EXPECT_FALSE(line->heard->closed());
  PlayFor(absl::Seconds(2));
  EXPECT_THAT(line->heard->why(),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("nothing was heard of 'b' for 8s")));
  EXPECT_THAT(a_.history(), ElementsAre("up b", "down b"));
}

// -- calls

//
TEST_F(SessionTest, OnlyCallsHaveNumbers) {
  std::unique_ptr<Line> line = BecomePeer();
  const auto nine = Nine<Note, Count>();
  nine.Send<Note>(1);
  auto first = nine.Call<Count>().Start();
  auto second = nine.Call<Count>().Start();
  nine.Send<Note>(2);
  Play();
  EXPECT_THAT(line->heard->Kinds(kData),
              ElementsAre(ItemKind::kType, ItemKind::kSend, ItemKind::kType,
                          ItemKind::kCall, ItemKind::kCall, ItemKind::kSend));
  const auto calls = line->heard->AllHeads<internal::CallHead>();
  ASSERT_EQ(calls.size(), 2);
  EXPECT_EQ(calls[0].number, 1);
  EXPECT_EQ(calls[1].number, 2);
  // In any order, and each once.
  line->connection->Send(kData, Answer(2, 22));
  line->connection->Send(kData, Answer(2, 23));
  line->connection->Send(kData, Answer(1, 11));
  line->connection->Send(kData, Answer(3, 33));
  EXPECT_THAT(std::move(first).Wait(), IsOkAndHolds(11));
  EXPECT_THAT(std::move(second).Wait(), IsOkAndHolds(22));
  EXPECT_FALSE(line->heard->closed());
  EXPECT_EQ(a_.system().dead_letters(), 0);
}

//
TEST_F(SessionTest, AnswersComeInTimeOrAreGivenUp) {
  std::unique_ptr<Line> line = BecomePeer();
  const auto nine = Nine<Count>();
  auto patient = nine.Call<Count>().Within(absl::InfiniteDuration()).Start();
  auto in_time = nine.Call<Count>().Within(absl::Seconds(1)).Start();
  EXPECT_THAT(
      nine.Call<Count>().Within(absl::Milliseconds(500)).Wait().status(),
      StatusIs(absl::StatusCode::kDeadlineExceeded));
  line->connection->Send(kData, Answer(3, 33));  // Too late.
  line->connection->Send(kData, Answer(2, 22));
  EXPECT_THAT(std::move(in_time).Wait(), IsOkAndHolds(22));
  PlayFor(absl::Seconds(7));
  line->connection->Send(kData, Answer(1, 11));
  EXPECT_THAT(std::move(patient).Wait(), IsOkAndHolds(11));
  EXPECT_EQ(a_.system().dead_letters(), 0);
}

//
TEST_F(SessionTest, DroppedCallIsGivenUpAtOnce) {
  std::unique_ptr<Line> line = BecomePeer();
  {
    auto dropped = Nine<Count>().Call<Count>().Start();
    Play();
    EXPECT_EQ(line->heard->AllHeads<internal::CallHead>().size(), 1);
    EXPECT_THAT(line->heard->All<internal::CancelItem>(), IsEmpty());
  }
  Play();
  EXPECT_EQ(line->heard->All<internal::CancelItem>().size(), 1);
  // What stays of it here, a leak checker would find.
}

// one that is never answered, and whose end nobody here told there.
TEST_F(SessionTest, CallsPastTheirDeadlineAreGivenUp) {
  std::unique_ptr<Line> line = BecomePeer();
  auto patient =
      Nine<Count>().Call<Count>().Within(absl::InfiniteDuration()).Start();
  for (int i = 0; i < 3000; ++i) {
    EXPECT_THAT(Nine<Count>()
                    .Call<Count>()
                    .Within(absl::Microseconds(1))
                    .Wait()
                    .status(),
                StatusIs(absl::StatusCode::kDeadlineExceeded));
  }
  for (int second = 0; second < 10; ++second) {
    line->Say(internal::HeartbeatItem{});
    PlayFor(absl::Seconds(1));
  }
  EXPECT_EQ(line->heard->All<internal::CancelItem>().size(), 3000);
  line->connection->Send(kData, Answer(1, 11));
  EXPECT_THAT(std::move(patient).Wait(), IsOkAndHolds(11));
}

// A peer that takes no more data takes no news of calls that are late, either.
TEST_F(SessionTest, LateCallsWaitForCredit) {
  HelloItem hello = OtherEnd::Hello();
  hello.data_credit = 1;
  std::unique_ptr<Line> line = BecomePeer(hello);
  EXPECT_THAT(
      Nine<Count>().Call<Count>().Within(absl::Microseconds(1)).Wait().status(),
      StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_EQ(line->heard->Count(ItemKind::kCall, kData), 1);
  for (int second = 0; second < 5; ++second) {
    line->Say(internal::HeartbeatItem{});
    PlayFor(absl::Seconds(1));
  }
  EXPECT_THAT(line->heard->All<internal::CancelItem>(), IsEmpty());
  line->Say(internal::CreditItem{1 << 20});
  PlayFor(absl::Seconds(2));  // With the next heartbeat.
  EXPECT_EQ(line->heard->All<internal::CancelItem>().size(), 1);
}

//
TEST_F(SessionTest, CallThatCannotCrossFailsAtOnce) {
  std::unique_ptr<Line> line = BecomePeer();
  const MonotonicTime before = a_.system().executor().clock().Now();
  const auto answer = Nine<Secret>().Call<Secret>().Wait();
  EXPECT_THAT(answer.status(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                        HasSubstr("cannot cross")));
  EXPECT_EQ(Delivery(answer), DeliveryState::kNotDelivered);
  EXPECT_LT(a_.system().executor().clock().Now() - before, absl::Seconds(1));
  line->connection->Close(absl::OkStatus());
  Play();
  // Nor is anything left of one where there is no session.
  EXPECT_THAT(Nine<Count>().Call<Count>().Wait().status(),
              StatusIs(absl::StatusCode::kUnavailable));
}

// Clause 35
TEST_F(SessionTest, EmptyFrameEndsTheSession) {
  HelloItem hello = OtherEnd::Hello();
  for (const TransportLane lane : {kControl, kData, TransportLane::kBulk}) {
    ++hello.session;
    std::unique_ptr<Line> line = BecomePeer(hello);
    line->connection->Send(lane, "");
    Play();
    EXPECT_THAT(line->heard->why(), StatusIs(absl::StatusCode::kDataLoss,
                                             HasSubstr("an empty frame")));
  }
}

// What an item introduces may be longer than a frame: it goes in
// several, each of which waits for credit.
TEST_F(SessionTest, WhatIsIntroducedTakesMoreFramesThanOne) {
  HelloItem hello = OtherEnd::Hello();
  hello.max_frame_bytes = internal::kMinFrameBytes;
  hello.data_credit = 1;
  std::unique_ptr<Line> line = BecomePeer(hello);
  internal::NodeCore& core = a_.node().core();
  EXPECT_THAT((core.types().Learn(WireTypesOf<Guests>())), IsOk());
  Guests guests;
  for (uint64_t i = 1; i <= 100; ++i) {
    const AnyActorRef ref =
        core.CellOf(NodeId{std::string(200, 'x'), i}).value()->RefTo(1);
    guests.whom.emplace_back(ref.cell(), ref.id().value());
  }
  Nine<Guests>().Send(std::move(guests));
  Play();
  EXPECT_GT(line->heard->Count(ItemKind::kNode, kData), 50);
  EXPECT_EQ(line->heard->Count(ItemKind::kSend, kData), 0);
  line->Say(internal::CreditItem{1 << 20});
  Play();
  EXPECT_EQ(line->heard->Count(ItemKind::kNode, kData), 100);
  EXPECT_EQ(line->heard->Count(ItemKind::kSend, kData), 1);
  EXPECT_FALSE(line->heard->closed()) << line->heard->why();
}

// The same in the bulk lane, where it has its own credit.
TEST_F(SessionTest, WhatALongMessageIntroducesWaitsForCredit) {
  HelloItem hello = OtherEnd::Hello();
  hello.max_frame_bytes = internal::kMinFrameBytes;
  hello.bulk_credit = 1;
  hello.max_message_bytes = 1 << 20;
  std::unique_ptr<Line> line = BecomePeer(hello);
  internal::NodeCore& core = a_.node().core();
  EXPECT_THAT((core.types().Learn(WireTypesOf<Guests>())), IsOk());
  Guests guests;
  for (uint64_t i = 0; i < 20'000; ++i) {
    const AnyActorRef ref =
        core.CellOf(NodeId{std::string(200, 'x'), 1 + i % 200})
            .value()
            ->RefTo(1);
    guests.whom.emplace_back(ref.cell(), ref.id().value());
  }
  Nine<Guests>().Send(std::move(guests));
  Play();
  // All that came before it has been handled.
  line->Say(internal::CreditItem{1 << 20});
  size_t nodes = 0;
  for (int frames = 1; nodes < 200; ++frames) {
    ASSERT_LE(frames, 10);
    Play();
    const size_t said = line->heard->Count(ItemKind::kNode, kData);
    EXPECT_LE(said - nodes, 80) << "in one frame";
    nodes = said;
    line->Say(internal::CreditItem{.bulk_bytes = internal::kMinFrameBytes});
  }
  line->Say(internal::CreditItem{.bulk_bytes = 1 << 20});
  Play();
  EXPECT_FALSE(line->heard->closed()) << line->heard->why();
  EXPECT_EQ(a_.system().dead_letters(), 0);
}

TEST_F(SessionTest, MessageWhoseTypeFitsInNoFrameDoesNotCross) {
  static const WireType* const wide = [] {
    auto* const made = new WireType(internal::MakeWireType<Page>());
    made->shape = std::string(20'000, 's');
    return made;
  }();
  HelloItem hello = OtherEnd::Hello();
  hello.max_frame_bytes = internal::kMinFrameBytes;
  std::unique_ptr<Line> line = BecomePeer(hello);
  EXPECT_THAT(a_.node().core().types().Learn(WireTypeList(&wide, 1)), IsOk());
  Nine<Page>().Send<Page>("a");
  Nine<Note>().Send<Note>(1);
  Play();
  EXPECT_THAT(line->heard->Kinds(kData),
              ElementsAre(ItemKind::kType, ItemKind::kSend));
  EXPECT_EQ(a_.system().dead_letters(), 1);
  EXPECT_FALSE(line->heard->closed()) << line->heard->why();
}

// In all items of that type.
template <typename Item>
size_t MembersIn(const OtherEnd& heard) {
  size_t members = 0;
  for (const Item& item : heard.All<Item>()) members += item.ids.size();
  return members;
}

TEST_F(SessionTest, ManyMembersOfAGroupFitInTheShortestFrames) {
  constexpr size_t kMembers = 3000;
  struct Noted : Actor<Note> {
    void Handle(const Note&) {}
  };
  const Group<Note> group("g");
  Groups& groups = a_.system().Get<Groups>();
  EXPECT_THAT(a_.node().Share(group), IsOk());
  const auto noted = a_.system().Spawn<Noted>().value();
  for (size_t i = 0; i < kMembers; ++i) {
    EXPECT_THAT(groups.Join(group, noted), IsOk());
  }
  HelloItem hello = OtherEnd::Hello();
  hello.max_frame_bytes = internal::kMinFrameBytes;
  std::unique_ptr<Line> line = BecomePeer(hello);
  line->Say(internal::GroupsWantedItem{"", "g"}, kData);
  Play();
  EXPECT_FALSE(line->heard->closed()) << line->heard->why();
  EXPECT_EQ(MembersIn<internal::GroupSaidItem>(*line->heard), kMembers);
  noted.Stop();
  Play();
  EXPECT_FALSE(line->heard->closed()) << line->heard->why();
  EXPECT_EQ(MembersIn<internal::GroupLeftItem>(*line->heard), kMembers);
}

// As many as the other end takes in parts at a time, however short.
TEST_F(SessionTest, OnlySoManyAreUnderWayInParts) {
  constexpr int kReceivers = 5000;
  HelloItem hello = OtherEnd::Hello();
  hello.max_frame_bytes = internal::kMinFrameBytes;
  hello.data_credit = hello.bulk_credit = uint64_t{1} << 30;
  hello.max_message_bytes = uint64_t{64} << 20;
  std::unique_ptr<Line> line = BecomePeer(hello);
  EXPECT_THAT((a_.node().core().types().Learn(WireTypesOf<Page>())), IsOk());
  internal::FarCell* const cell =
      a_.node().core().CellOf(NodeId{"b", 5}).value();
  for (uint64_t id = 1; id <= kReceivers; ++id) {
    const AnyActorRef ref = cell->RefTo(id);
    ActorRef<Page>(ref.cell(), ref.id().value())
        .Send<Page>(std::string(12'000, 'x'));
  }
  Play();
  line->Say(internal::CreditItem{1 << 20});
  PlayFor(absl::Seconds(1));
  std::set<uint64_t> under_way;
  size_t most = 0;
  size_t ended = 0;
  for (const auto& part : line->heard->AllHeads<internal::FragmentHead>()) {
    under_way.insert(part.number);
    most = std::max(most, under_way.size());
    if (part.left == 0) ended += under_way.erase(part.number);
  }
  EXPECT_EQ(ended, kReceivers);
  EXPECT_EQ(most, internal::kMaxUnderWayInParts);
}

// -- several connections

//
TEST_F(SessionTest, SecondConnectionOfAPeerIsRefused) {
  std::unique_ptr<Line> first = BecomePeer();
  HelloItem hello = OtherEnd::Hello();
  for (uint64_t session = 100; session < 110; ++session) {
    hello.session = session;
    std::unique_ptr<Line> other = BecomePeer(hello);
    EXPECT_EQ(other->heard->Count(ItemKind::kRefusal, kControl), 1);
    EXPECT_THAT(other->heard->why(),
                StatusIs(absl::StatusCode::kAlreadyExists));
  }
  EXPECT_FALSE(first->heard->closed());
  EXPECT_EQ(a_.node().Peers().size(), 1);
  EXPECT_THAT(a_.history(), ElementsAre("up b"));
}

TEST_F(SessionTest, WhoHasNotGreetedIsNoPeer) {
  std::unique_ptr<Line> line = Connect();
  Play();
  EXPECT_THAT(a_.node().Peers(), IsEmpty());
  EXPECT_THAT(line->heard->Kinds(kControl), IsEmpty()) << "who dials begins";
  EXPECT_THAT(a_.history(), IsEmpty());
}

}  // namespace
}  // namespace troupe
