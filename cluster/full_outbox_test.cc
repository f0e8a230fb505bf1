// What crosses though the connection takes nothing and the outbox is full, in
// virtual time: node a, and the test as its peer b.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/send_result.h"
#include "troupe/cluster/codec/codec.h"
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
#include "troupe/cluster/spawn.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using testing::IsOk;
using testing::StatusIs;

// Ids of actors of b.
constexpr uint64_t kOwner = 7;
constexpr uint64_t kKeeper = 8;
constexpr uint64_t kReader = 9;

struct Word {
  static constexpr absl::string_view kWireName = "test.Word";
};

// The child that was started last.
std::optional<ActorRef<Word>> child_of_test;

// Fails when it is told to.
class Child : public Actor<Word> {
 public:
  void PostStart() { child_of_test = self(); }
  absl::Status Handle(Word) { return absl::DataLossError("as asked"); }
};

class FullOutboxTest : public ::testing::Test {
 protected:
  FullOutboxTest() {
    NodeOptions options = cluster_.Options("a", a_.system());
    options.outbox_messages = 1;
    a_.Join(std::move(options));
    EXPECT_THAT(a_.node().core().types().Learn(WireTypesOf<Word>()), IsOk());
    EXPECT_THAT(ExportFactory<Child()>(a_.node(), "child"), IsOk());
  }
  ~FullOutboxTest() override { child_of_test.reset(); }

  // With so much credit, of which the first frame takes all and more.
  void BecomePeer(uint64_t data_credit) {
    b_.connection = transport_.Dial("a", b_.heard).value();
    HelloItem hello = OtherEnd::Hello();
    hello.data_credit = data_credit;
    b_.Say(hello);
    Play();
    ASSERT_THAT(a_.history(), ElementsAre("up b"));
  }
  void Play() {
    Executor& executor = a_.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + absl::Milliseconds(20));
  }
  AnyActorRef Far(uint64_t id) {
    const HelloItem b = OtherEnd::Hello();
    return a_.node().core().CellOf({b.name, b.incarnation}).value()->RefTo(id);
  }
  // Sends to b until no more is taken.
  void Fill() {
    const AnyActorRef to = Far(kReader);
    const ActorRef<Word> reader(to.cell(), to.id().value());
    int sent = 0;
    while (reader.TrySend(Word()) == SendResult::kSent && sent < 10) {
      ++sent;
      Play();
    }
    ASSERT_LT(sent, 10);
  }
  void GiveCredit() {
    b_.Say(CreditItem{1 << 20});
    Play();
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
    Play();
  }
  // The actors of b to whom messages were sent.
  std::vector<uint64_t> Receivers() const {
    std::vector<uint64_t> to;
    for (const SendHead& head : b_.heard->AllHeads<SendHead>()) {
      to.push_back(head.to);
    }
    return to;
  }

  TestCluster cluster_{{"a"}};
  TestNode a_{
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = 1}),
                            {})};
  InProcessTransport transport_{cluster_.network(), a_.system().executor()};
  Line b_;
};

// §28 for remote children: otherwise a failure is taken for a normal end.
TEST_F(FullOutboxTest, EndOfARemoteChildIsTold) {
  BecomePeer(0);
  Introduce<SpawnActor>(0);
  MadeUpRefs refs({{kWriters, kOwner}});
  Encoder payload(&refs);
  SpawnActor request;
  request.factory = "child";
  request.shape = ShapeOf<std::tuple<>>();
  request.types = AskedTypes(WireTypesOf<Word>());
  request.tells_end = true;
  Encode(request, payload);
  Say(CallHead{a_.node().receptionist().id().value(), 0, 1,
               absl::ToInt64Nanoseconds(absl::Hours(1)), 0},
      payload);
  ASSERT_TRUE(child_of_test.has_value());
  Fill();
  child_of_test->Send<Word>();
  Play();
  GiveCredit();
  EXPECT_EQ(b_.heard->Count(ItemKind::kReply, TransportLane::kData), 1);
  EXPECT_THAT(Receivers(), ElementsAre(kOwner));
  EXPECT_EQ(a_.system().dead_letters(), 0);
}

// Otherwise what was started is killed, as one of which nobody knows.
TEST_F(FullOutboxTest, StartIsClaimed) {
  BecomePeer(1);
  const Asker<Word>::Ref asker =
      a_.system().Spawn<Asker<Word>>(std::ref(a_.node())).value();
  auto outcome = asker.Call<Begin>().Start();
  Play();
  const auto calls = b_.heard->AllHeads<CallHead>();
  ASSERT_EQ(calls.size(), 1);
  Fill();
  MadeUpRefs refs({{kWriters, kOwner}, {kWriters, kKeeper}});
  Encoder payload(&refs);
  Encode(OutcomeOf<SpawnActor>(StartedActor{}), payload);
  Say(ReplyHead{calls[0].number}, payload);
  EXPECT_THAT(std::move(outcome).Wait(), IsOk());
  GiveCredit();
  const std::vector<uint64_t> to = Receivers();
  ASSERT_FALSE(to.empty());
  EXPECT_EQ(to.front(), kReader);
  EXPECT_EQ(to.back(), kKeeper);
  EXPECT_EQ(a_.system().dead_letters(), 0);
}

// Otherwise each node keeps the wait until the actor ends.
TEST_F(FullOutboxTest, WaitForADrainIsTakenBackBehindIt) {
  BecomePeer(0);
  EXPECT_THAT(Far(kReader).DrainAndWait(absl::Milliseconds(10)),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  GiveCredit();
  EXPECT_THAT(b_.heard->Kinds(TransportLane::kData),
              ElementsAre(ItemKind::kAwaitEnd, ItemKind::kEnd,
                          ItemKind::kAwaitEndNoMore));
  EXPECT_EQ(a_.node().Tables().watches, 0);
}

}  // namespace
}  // namespace troupe::internal
