// Texts of failures and ends that are longer than any frame (clause 35): they
// cross cut, and no node ends of them, whether an actor has made them or a
// peer.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/cord.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/brief_texts.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/stranger_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/spawn.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::kMaxTextBytes;
using internal::Stranger;
using internal::TestCluster;
using internal::TestNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::Le;
using ::testing::SizeIs;
using ::testing::StartsWith;
using testing::StatusIs;

constexpr size_t kLong = size_t{5} << 20;

struct Break {
  static constexpr absl::string_view kWireName = "test.Break";
};
struct Ping {
  static constexpr absl::string_view kWireName = "test.Ping";
  using Reply = int64_t;
};
using VictimApi = Protocol<Break, Ping>;
class Victim : public Actor<Break, Ping> {
 public:
  void Handle(Break) { Fail(absl::InternalError(std::string(kLong, 'x'))); }
  int64_t Handle(Ping) { return 7; }
};

// Hears of one end.
class OneEnd {
 public:
  void Set(const ExitReason& reason) {
    reason_ = reason;
    heard_.Notify();
  }
  ExitReason Await() {
    heard_.WaitForNotification();
    return reason_;
  }

 private:
  absl::Notification heard_;
  ExitReason reason_;
};
struct Watch {
  using Reply = absl::Status;
  ActorRef<Break, Ping> whom;
};
class Mourner : public Actor<Watch> {
 public:
  explicit Mourner(OneEnd& end) : end_(end) {}
  absl::Status Handle(const Watch& m) {
    Monitor(m.whom);
    return absl::OkStatus();
  }
  void OnDown(const Down& down) { end_.Set(down.reason); }

 private:
  OneEnd& end_;
};

class LongTextsTest : public ::testing::Test {
 protected:
  explicit LongTextsTest(Authorization rules = Authorization::Everything())
      : cluster_({"a", "b"}, std::move(rules)) {
    a_ = cluster_.Start("a");
    b_ = cluster_.Start("b");
    a_->AwaitPeer("b");
    EXPECT_THAT(
        b_->node().Export("victim", b_->system().Spawn<Victim>().value()),
        IsOk());
  }
  ActorRef<Break, Ping> Resolve() {
    return a_->node().ResolveAndWait<VictimApi>("victim@b").value();
  }
  // Of an actor of a's.
  void WatchIt(const ActorRef<Break, Ping>& victim) {
    const Mourner::Ref mourner =
        a_->system().Spawn<Mourner>(std::ref(end_)).value();
    ASSERT_THAT(mourner.Call<Watch>(victim).Wait(), IsOk());
  }
  // The session has outlived it.
  void ExpectNothingLost() { EXPECT_THAT(a_->history(), ElementsAre("up b")); }

  OneEnd end_;
  TestCluster cluster_;
  std::unique_ptr<TestNode> a_;
  std::unique_ptr<TestNode> b_;
};

TEST_F(LongTextsTest, AFailureIsHeardOfElsewhere) {
  const auto victim = Resolve();
  WatchIt(victim);
  victim.Send<Break>();
  const ExitReason reason = end_.Await();
  EXPECT_EQ(reason.kind(), ExitReason::Kind::kFailed);
  EXPECT_THAT(reason.status(),
              StatusIs(absl::StatusCode::kInternal,
                       AllOf(SizeIs(kMaxTextBytes), StartsWith("xxxx"),
                             HasSubstr("cut, it has 5242880 bytes"))));
  ExpectNothingLost();
}

TEST_F(LongTextsTest, AnActorIsStoppedFromElsewhere) {
  const auto victim = Resolve();
  WatchIt(victim);
  victim.Stop(ExitReason::Shutdown(std::string(kLong, 'y')));
  const ExitReason reason = end_.Await();
  EXPECT_EQ(reason.kind(), ExitReason::Kind::kShutdown);
  EXPECT_THAT(reason.detail(), AllOf(SizeIs(kMaxTextBytes), StartsWith("yyyy"),
                                     HasSubstr("cut, it has 5242880 bytes")));
  ExpectNothingLost();
}

// Where nothing may be started, as without rules.
class LongNamesTest : public LongTextsTest {
 protected:
  LongNamesTest() : LongTextsTest(Authorization()) {}
};

TEST_F(LongNamesTest, ARefusedFactoryIsNamedInFewWords) {
  const auto made = SpawnOnAndWait<VictimApi>(
      a_->node(), std::string(3 << 20, 'x') + "@b", {});
  EXPECT_THAT(
      made, StatusIs(absl::StatusCode::kPermissionDenied,
                     AllOf(SizeIs(Le(1000)), HasSubstr("may not spawn 'xxx"))));
  EXPECT_THAT(Resolve().Call<Ping>().Wait(), IsOkAndHolds(7));
  ExpectNothingLost();
}

TEST_F(LongNamesTest, ARefusedFactoryIsLoggedInOneLine) {
  const auto made =
      SpawnOnAndWait<VictimApi>(a_->node(), "x\nAll is well.@b", {});
  EXPECT_THAT(made, StatusIs(absl::StatusCode::kPermissionDenied,
                             HasSubstr("may not spawn 'x\\nAll is well.'")));
}

// What a peer says of an end may grow when it becomes a text.
TEST(LongReasonsTest, APeersReasonComesBack) {
  TestCluster cluster({"a", "b"});
  const std::unique_ptr<TestNode> a = cluster.Start("a");
  const Victim::Ref victim = a->system().Spawn<Victim>().value();
  ASSERT_THAT(a->node().Export("victim", victim), IsOk());
  Stranger stranger(cluster);
  stranger.BecomePeerOf(*a, "a");
  stranger.Say(internal::MonitorItem{victim.id().value(), 9, 1});
  absl::Status why = absl::InternalError("why");
  const std::string bytes(1'100'000, '\x01');
  why.SetPayload("type.test/bytes", absl::Cord(absl::string_view(bytes)));
  // As a node would that cuts nothing.
  Encoder frame;
  frame.WriteByte(static_cast<uint8_t>(internal::ItemKind::kEnd));
  frame.WriteSized([&](Encoder& item) {
    Codec<uint64_t>::Encode(victim.id().value(), item);
    Codec<uint8_t>::Encode(2, item);
    item.WriteSized([&](Encoder& reason) {
      reason.WriteByte(static_cast<uint8_t>(ExitReason::Kind::kFailed));
      Codec<absl::Status>::Encode(why, reason);
      Codec<std::string>::Encode("", reason);
    });
  });
  stranger.SayRaw(std::string(frame.bytes()));
  const auto down = stranger.Await<internal::DownItem>();
  EXPECT_EQ(down.serial, 1);
  EXPECT_THAT(down.reason.ToString(), HasSubstr("INTERNAL: why"));
  EXPECT_THAT(down.reason.ToString(), SizeIs(Le(2 * kMaxTextBytes)));
}

}  // namespace
}  // namespace troupe
