// References and ids that a peer makes up (clause 35): whatever it says, no
// actor gets what it does not take, and nothing is said in the name of others.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/reply_of.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/asked_type.h"
#include "troupe/cluster/internal/asker_testing.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/made_up_refs_testing.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ports.h"
#include "troupe/cluster/spawn.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/stream/publishes.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::AppendItem;
using internal::Asker;
using internal::Begin;
using internal::CallHead;
using internal::ItemKind;
using internal::kNobodys;
using internal::kReaders;
using internal::kWriters;
using internal::Line;
using internal::MadeUpRef;
using internal::MadeUpRefs;
using internal::OtherEnd;
using internal::ReplyHead;
using internal::SendHead;
using internal::SpawnActor;
using internal::StartedActor;
using internal::TestCluster;
using internal::TestNode;
using internal::TypeItem;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

struct Price {
  static constexpr absl::string_view kWireName = "test.Price";
  int64_t cents = 0;
};

// "b" is no node, but the test.
class MadeUpRefsTest : public ::testing::Test {
 protected:
  MadeUpRefsTest() { BecomePeer(b_, "b"); }

  void BecomePeer(Line& line, const std::string& name) {
    line.connection = transport_.Dial("a", line.heard).value();
    internal::HelloItem hello = OtherEnd::Hello();
    hello.name = name;
    line.Say(hello);
    a_->AwaitPeer(name);
  }
  template <typename M>
  void Introduce(uint64_t number) {
    const WireType& type = WireTypeOf<M>();
    b_.Say(
        TypeItem{number, std::string(type.name), type.shape, type.reply_shape},
        TransportLane::kData);
  }
  template <typename Head>
  void Say(const Head& head, const Encoder& payload) {
    Encoder frame;
    AppendItem(head, payload.bytes(), frame);
    b_.connection->Send(TransportLane::kData, std::string(frame.bytes()));
  }
  // Until the node has taken all that was said.
  void Leave() {
    b_.connection->Close(absl::OkStatus());
    a_->AwaitPeer("b", false);
  }
  uint64_t receptionist() const {
    return a_->node().receptionist().id().value();
  }
  // Answers whatever else it has been asked.
  void ExpectReceptionistLives() {
    EXPECT_THAT(a_->node().ResolveAndWait<Subscribe<Price>>("none@a").status(),
                StatusIs(absl::StatusCode::kNotFound));
  }

  TestCluster cluster_{{"a"}};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  std::unique_ptr<ActorSystem> other_ =
      ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport_{cluster_.network(), other_->executor()};
  Line b_;
};

// -- subscriptions

// Publishes. Returns to how many.
struct Tick {
  using Reply = int64_t;
};
class Ticker : public Actor<Subscribe<Price>, Unsubscribe<Price>, Tick>,
               public Publishes<Price> {
 public:
  using Publishes<Price>::Handle;
  int64_t Handle(Tick) {
    port().Publish(5);
    return static_cast<int64_t>(port().subscriptions());
  }
};
struct Read {
  using Reply = int64_t;
};
class Reader : public Actor<Price, Read> {
 public:
  void Handle(Price m) { read_ += m.cents; }
  int64_t Handle(Read) { return read_; }

 private:
  int64_t read_ = 0;
};

TEST_F(MadeUpRefsTest, OnlyWhoTakesWhatIsPublishedSubscribes) {
  const Ticker::Ref ticker = a_->system().Spawn<Ticker>().value();
  const Reader::Ref reader = a_->system().Spawn<Reader>().value();
  ASSERT_THAT(a_->node().Export("ticker", ActorRef<Subscribe<Price>>(ticker)),
              IsOk());
  ASSERT_THAT(a_->node().Export("reader", ActorRef<Price>(reader)), IsOk());
  Introduce<Subscribe<Price>>(0);
  for (const uint64_t id : {reader.id().value(), receptionist()}) {
    Encoder payload;
    payload.WriteSized([&](Encoder& fields) {
      fields.WriteVarint(kReaders);
      fields.WriteVarint(id);
      fields.WriteByte(0);     // Lag.
      fields.WriteVarint(10);  // Limit.
      fields.WriteVarint(0);   // Replay.
      fields.WriteByte(0);
      fields.WriteVarint(0);
    });
    Say(SendHead{ticker.id().value(), 0, false}, payload);
  }
  Leave();
  EXPECT_EQ(a_->system().dead_letters(), 1);
  EXPECT_THAT(ticker.Call<Tick>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(reader.Call<Read>().Wait(), IsOkAndHolds(5));
  ExpectReceptionistLives();
}

// -- starts

// Ends as soon as it has started.
class Short : public Actor<Price> {
 public:
  void PostStart() { StopSelf(); }
  void Handle(Price) {}
};

// Of a start with that owner, which is to be told of the end.
class MadeUpOwnersTest : public MadeUpRefsTest {
 protected:
  MadeUpOwnersTest() {
    EXPECT_THAT(ExportFactory<Short()>(a_->node(), "short"), IsOk());
    Introduce<SpawnActor>(0);
  }
  absl::Status StartFor(MadeUpRef owner) {
    MadeUpRefs refs({owner});
    Encoder payload(&refs);
    SpawnActor request;
    request.factory = "short";
    request.shape = ShapeOf<std::tuple<>>();
    request.types = internal::AskedTypes(WireTypesOf<Price>());
    request.tells_end = true;
    Encode(request, payload);
    Say(CallHead{receptionist(), 0, 1, absl::ToInt64Nanoseconds(absl::Hours(1)),
                 0},
        payload);
    b_.heard->AwaitItems(ItemKind::kReply, 1);
    return Answer();
  }

 private:
  // Whether the first call was answered with something good.
  absl::Status Answer() {
    absl::Status answer;
    b_.heard->AwaitData([&](absl::string_view data) {
      for (Decoder in(data); !in.AtEnd();) {
        const auto kind = static_cast<ItemKind>(in.ReadByte());
        in.ReadSized([&](Decoder& fields) {
          if (kind != ItemKind::kReply) return;
          (void)internal::ReadItem<ReplyHead>(fields);
          // Of a StatusOr, its status comes first.
          Codec<absl::Status>::Decode(fields, answer);
        });
      }
      return true;
    });
    return answer;
  }
};

TEST_F(MadeUpOwnersTest, ActorOfThePeerIsTold) {
  EXPECT_THAT(StartFor({kWriters, 7}), IsOk());
  b_.heard->AwaitItems(ItemKind::kSend, 1);
  EXPECT_THAT(b_.heard->AllHeads<SendHead>(),
              ElementsAre(Field(&SendHead::to, 7)));
}

TEST_F(MadeUpOwnersTest, ActorOfTheNodeIsNot) {
  EXPECT_THAT(StartFor({kReaders, receptionist()}),
              StatusIs(absl::StatusCode::kInvalidArgument));
  ExpectReceptionistLives();
}

TEST_F(MadeUpOwnersTest, NobodyIsNot) {
  EXPECT_THAT(StartFor({kNobodys}),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

// b would have others hear of an end from this node, which they believe.
TEST_F(MadeUpOwnersTest, ActorOfAThirdNodeIsNot) {
  b_.Say(internal::NodeItem{3, "c", 1}, TransportLane::kData);
  EXPECT_THAT(StartFor({3, 7}), StatusIs(absl::StatusCode::kInvalidArgument));
}

// Of a start that b answers with these.
class MadeUpStartsTest : public MadeUpRefsTest {
 protected:
  absl::Status AnswerWith(MadeUpRef actor, MadeUpRef keeper) {
    const Asker<Price>::Ref asker =
        a_->system().Spawn<Asker<Price>>(std::ref(a_->node())).value();
    auto outcome = asker.Call<Begin>().Start();
    b_.heard->AwaitItems(ItemKind::kCall, 1);
    MadeUpRefs refs({actor, keeper});
    Encoder payload(&refs);
    Encode(OutcomeOf<SpawnActor>(StartedActor{}), payload);
    Say(ReplyHead{b_.heard->AllHeads<CallHead>().at(0).number}, payload);
    return std::move(outcome).Wait();
  }
};

TEST_F(MadeUpStartsTest, ActorsOfThePeerAreTaken) {
  EXPECT_THAT(AnswerWith({kWriters, 7}, {kWriters, 8}), IsOk());
  b_.heard->AwaitItems(ItemKind::kSend, 1);
  EXPECT_THAT(b_.heard->AllHeads<SendHead>(),
              ElementsAre(Field(&SendHead::to, 8)));  // KeepActor.
}

TEST_F(MadeUpStartsTest, ActorsOfTheNodeAreNot) {
  EXPECT_THAT(
      AnswerWith({kReaders, receptionist()}, {kWriters, 8}),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("cannot have started")));
}

TEST_F(MadeUpStartsTest, KeepersOfTheNodeAreNot) {
  EXPECT_THAT(AnswerWith({kWriters, 7}, {kReaders, receptionist()}),
              StatusIs(absl::StatusCode::kDataLoss));
  ExpectReceptionistLives();
}

TEST_F(MadeUpStartsTest, NobodyIsNot) {
  EXPECT_THAT(AnswerWith({kNobodys}, {kNobodys}),
              StatusIs(absl::StatusCode::kDataLoss));
}

// -- ids

// Beyond what ids have: with this, an id is that of an actor of another node.
constexpr uint64_t kTooMuch = uint64_t{1} << 48;
constexpr uint64_t kNobody = 999'999;  // An id that no actor has.

class MadeUpIdsTest : public MadeUpRefsTest {
 protected:
  // What ids of the actors of that node begin with here.
  uint64_t NumberOf(const std::string& name, uint64_t incarnation) {
    return (*a_->node().core().CellOf({name, incarnation}))->IdOf(0);
  }
  // Until the node has taken what `peer` has said in the control lane.
  static void RoundTrip(Line& peer, uint64_t serial) {
    peer.Say(internal::MonitorItem{kNobody, 9, serial});
    peer.heard->AwaitItems(ItemKind::kDown, serial);
  }
  absl::Status EndOfSession() {
    // Which ends it, too, unless it has ended before.
    b_.Say(internal::FragmentHead{});
    return b_.heard->AwaitEnd();
  }
};

const auto kIsNoId =
    StatusIs(absl::StatusCode::kDataLoss, HasSubstr("an actor has no id"));

TEST_F(MadeUpIdsTest, NobodyUnlinksInTheNameOfAnotherNode) {
  const Reader::Ref reader = a_->system().Spawn<Reader>().value();
  ASSERT_THAT(a_->node().Export("reader", ActorRef<Price>(reader)), IsOk());
  const uint64_t to = reader.id().value();
  // c is to have a number that has all bits of that of b.
  const uint64_t b = NumberOf("b", OtherEnd::Hello().incarnation);
  uint64_t last = b;
  for (uint64_t i = 1; ((last + kTooMuch) & b) != b; ++i) {
    last = NumberOf("nobody", i);
  }
  Line c;
  BecomePeer(c, "c");
  ASSERT_EQ(NumberOf("c", OtherEnd::Hello().incarnation), last + kTooMuch);
  c.Say(internal::LinkItem{to, 7, 1});
  c.Say(internal::MonitorItem{to, 8, 1});
  RoundTrip(c, 1);

  b_.Say(internal::UnlinkItem{to, (last + kTooMuch) | 7, UINT64_MAX});
  EXPECT_THAT(EndOfSession(), kIsNoId);
  reader.Kill();
  c.heard->AwaitItems(ItemKind::kDown, 2);  // Behind the exit.
  EXPECT_THAT(c.heard->All<internal::ExitItem>(),
              ElementsAre(Field(&internal::ExitItem::to, 7)));
}

TEST_F(MadeUpIdsTest, IdsOfOthersEndTheSession) {
  for (const uint64_t id : {kTooMuch | 7, uint64_t{0}}) {
    for (const std::string& said :
         {internal::FrameOf(internal::MonitorItem{kNobody, id, 1}),
          internal::FrameOf(internal::DemonitorItem{kNobody, id, 1}),
          internal::FrameOf(internal::LinkItem{kNobody, id, 1}),
          internal::FrameOf(internal::UnlinkItem{kNobody, id, 1})}) {
      b_.connection->Send(TransportLane::kControl, said);
      EXPECT_THAT(EndOfSession(), kIsNoId);
      a_->AwaitPeer("b", false);
      b_ = Line();
      BecomePeer(b_, "b");
    }
  }
}

// Only the last one would be taken off, and only one would count.
TEST_F(MadeUpIdsTest, MonitorThatHasBegunBeforeEndsTheSession) {
  const Reader::Ref readers[] = {a_->system().Spawn<Reader>().value(),
                                 a_->system().Spawn<Reader>().value()};
  for (const Reader::Ref& reader : readers) {
    ASSERT_THAT(a_->node().Export(reader.ToString(), ActorRef<Price>(reader)),
                IsOk());
  }
  b_.Say(internal::MonitorItem{readers[0].id().value(), 7, 1});
  // Another one, of another actor, and the same again when it is over.
  b_.Say(internal::MonitorItem{readers[1].id().value(), 7, 2});
  b_.Say(internal::MonitorItem{readers[1].id().value(), 8, 1});
  b_.Say(internal::DemonitorItem{readers[1].id().value(), 8, 1});
  b_.Say(internal::MonitorItem{readers[1].id().value(), 8, 1});
  RoundTrip(b_, 1);
  b_.Say(internal::MonitorItem{readers[1].id().value(), 7, 1});
  EXPECT_THAT(EndOfSession(), StatusIs(absl::StatusCode::kDataLoss,
                                       HasSubstr("has begun before")));
}

TEST_F(MadeUpIdsTest, ReceptionistWithTheIdOfAnotherIsNone) {
  for (const uint64_t id : {kTooMuch | 7, uint64_t{0}}) {
    Line c;
    c.connection = transport_.Dial("a", c.heard).value();
    internal::HelloItem hello = OtherEnd::Hello();
    hello.name = "c";
    hello.receptionist = id;
    c.Say(hello);
    c.Say(internal::FragmentHead{});
    EXPECT_THAT(c.heard->AwaitEnd(),
                StatusIs(absl::StatusCode::kDataLoss,
                         HasSubstr("'c' has no actor with the id")));
  }
}

}  // namespace
}  // namespace troupe
