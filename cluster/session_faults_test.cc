// What a peer may say that no node says: it ends its session, and nothing else
// (clause 35). A stranger speaks over a connection of its own.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/task.h"
#include "troupe/base/random.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/transport.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::AppendItem;
using internal::HelloItem;
using internal::ItemKind;
using internal::OtherEnd;
using internal::TestCluster;
using internal::TestNode;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::StatusIs;

struct Poke {
  static constexpr absl::string_view kWireName = "test.Poke";
  std::string text;
};
class Poked : public Actor<Poke> {
 public:
  void Handle(Poke) {}
};

struct Count {
  static constexpr absl::string_view kWireName = "test.Count";
  using Reply = int64_t;
};
struct AskFor {
  static constexpr absl::string_view kWireName = "test.AskFor";
  ActorRef<Count> whom;
};
class Asker : public Actor<AskFor> {
 public:
  Asker(absl::StatusOr<int64_t>& outcome, absl::Notification& asked)
      : outcome_(outcome), asked_(asked) {}
  Task<void> Handle(AskFor m) {
    outcome_ = co_await m.whom.Call<Count>();
    asked_.Notify();
  }

 private:
  absl::StatusOr<int64_t>& outcome_;
  absl::Notification& asked_;
};

class SessionFaultsTest : public ::testing::Test {
 protected:
  // Connects as the node "b" would.
  void Connect() {
    stranger_ = std::make_shared<OtherEnd>();
    connection_ = transport_.Dial("a", stranger_).value();
  }
  static HelloItem Hello() { return OtherEnd::Hello(); }
  template <typename Item>
  void Say(const Item& item, TransportLane lane = TransportLane::kControl) {
    connection_->Send(lane, internal::FrameOf(item));
  }
  // Connects, and is a peer.
  void BecomePeer() {
    Connect();
    Say(Hello());
    ASSERT_EQ(stranger_->AwaitAnswer(), ItemKind::kHello);
    a_->AwaitPeer("b");
  }
  absl::Status SayRaw(std::string bytes,
                      TransportLane lane = TransportLane::kData) {
    connection_->Send(lane, std::move(bytes));
    return stranger_->AwaitEnd();
  }

  TestCluster cluster_{{"a"}};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  std::unique_ptr<ActorSystem> other_ =
      ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport_{cluster_.network(), other_->executor()};
  std::shared_ptr<OtherEnd> stranger_;
  std::unique_ptr<Connection> connection_;
};

//
TEST_F(SessionFaultsTest, PeerThatGreetsIsUp) {
  BecomePeer();
  connection_->Close(absl::OkStatus());
  a_->AwaitPeer("b", false);
  EXPECT_THAT(a_->history(), ::testing::ElementsAre("up b", "down b"));
}

TEST_F(SessionFaultsTest, WrongHellosAreRefusedWithWords) {
  const auto refused = [this](const HelloItem& hello) {
    Connect();
    Say(hello);
    EXPECT_EQ(stranger_->AwaitAnswer(), ItemKind::kRefusal);
    return stranger_->AwaitEnd();
  };
  HelloItem hello = Hello();
  hello.cluster = "other";
  EXPECT_THAT(refused(hello),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("belongs to the cluster 'other'")));
  hello = Hello();
  hello.min_protocol = hello.max_protocol = 9;
  EXPECT_THAT(refused(hello), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("speaks the protocols 9")));
  hello = Hello();
  hello.max_frame_bytes = 1000;
  EXPECT_THAT(refused(hello), StatusIs(absl::StatusCode::kFailedPrecondition,
                                       HasSubstr("takes frames of 1000")));
  hello = Hello();
  hello.name = "no name!";
  EXPECT_THAT(refused(hello), StatusIs(absl::StatusCode::kInvalidArgument));
  hello = Hello();
  hello.name = "a";
  EXPECT_THAT(refused(hello), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_TRUE(a_->history().empty());
}

TEST_F(SessionFaultsTest, NothingIsSaidBeforeTheHello) {
  Connect();
  Say(internal::HeartbeatItem{});
  Say(internal::EndItem{1, 3, ExitReason::Killed()});
  EXPECT_THAT(stranger_->AwaitEnd(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("hello")));
}

//
TEST_F(SessionFaultsTest, FramesThatMakeNoSenseEndTheSession) {
  for (const absl::string_view bytes :
       {absl::string_view("\x32\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10),
        absl::string_view("\x32", 1), absl::string_view("\x32\x05x", 3),
        absl::string_view("\x31\x00", 2), absl::string_view("\xff\x09", 2),
        absl::string_view("\x01\x00", 2)}) {
    BecomePeer();
    EXPECT_FALSE(SayRaw(std::string(bytes)).ok());
    a_->AwaitPeer("b", false);
  }
}

TEST_F(SessionFaultsTest, WhatIsNewerIsPassedOver) {
  BecomePeer();
  connection_->Send(TransportLane::kData, std::string("\xc8\x03new", 5));
  connection_->Send(TransportLane::kControl, std::string("\xc9\x00", 2));
  Say(internal::HeartbeatItem{});
  connection_->Close(absl::OkStatus());
  a_->AwaitPeer("b", false);
  EXPECT_EQ(a_->system().dead_letters(), 0);
}

// only those to which a reference has left the node can be addressed.
TEST_F(SessionFaultsTest, GuessedIdsReachNobody) {
  const Poked::Ref secret = a_->system().Spawn<Poked>().value();
  const Poked::Ref known = a_->system().Spawn<Poked>().value();
  ASSERT_THAT(a_->node().Export("known", known), IsOk());
  BecomePeer();
  Say(internal::EndItem{secret.id().value(), 3, ExitReason::Killed()});
  Say(internal::EndItem{known.id().value(), 3, ExitReason::Killed()});
  EXPECT_THAT(known.Wait(), IsOk());
  EXPECT_EQ(secret.status(), ActorStatus::kRunning);
}

//
TEST_F(SessionFaultsTest, UndecodableMessagesAreDeadLettersAmongGoodOnes) {
  const Poked::Ref known = a_->system().Spawn<Poked>().value();
  ASSERT_THAT(a_->node().Export("known", known), IsOk());
  absl::Mutex mu;
  std::vector<DeadLetter::Reason> reasons;
  Subscription letters =
      a_->system().Subscribe<DeadLetter>([&](const DeadLetter& letter) {
        absl::MutexLock lock(&mu);
        reasons.push_back(letter.reason);
      });
  BecomePeer();
  const uint64_t to = known.id().value();
  Encoder frame;
  AppendItem(internal::TypeItem{0, "test.Poke", "(s)", ""}, frame);
  AppendItem(internal::TypeItem{1, "test.Unknown", "()", ""}, frame);
  AppendItem(internal::SendHead{to, 0, false}, "\x02\x01x", frame);
  AppendItem(internal::SendHead{to, 0, false}, "\x7f\x01x", frame);
  AppendItem(internal::SendHead{to, 1, false}, "", frame);
  AppendItem(internal::SendHead{to + 1, 0, false}, "\x02\x01x", frame);
  connection_->Send(TransportLane::kData, std::string(frame.bytes()));
  connection_->Close(absl::OkStatus());
  a_->AwaitPeer("b", false);
  absl::MutexLock lock(&mu);
  EXPECT_THAT(reasons, ::testing::ElementsAre(DeadLetter::Reason::kUndecodable,
                                              DeadLetter::Reason::kUndecodable,
                                              DeadLetter::Reason::kNoActor));
}

//
TEST_F(SessionFaultsTest, MessageThatIsNoRequestCannotBeCalled) {
  const Poked::Ref known = a_->system().Spawn<Poked>().value();
  ASSERT_THAT(a_->node().Export("known", known), IsOk());
  BecomePeer();
  Encoder frame;
  AppendItem(internal::TypeItem{0, "test.Poke", "(s)", ""}, frame);
  AppendItem(internal::CallHead{known.id().value(), 0, 1, 1'000'000'000},
             "\x02\x01x", frame);
  EXPECT_THAT(SayRaw(std::string(frame.bytes())),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("test.Poke is called, but is no request")));
}

//
TEST_F(SessionFaultsTest, AnswerThatMakesNoSenseEndsTheCallAlone) {
  absl::StatusOr<int64_t> outcome = absl::UnknownError("not asked");
  absl::Notification asked;
  const Asker::Ref asker =
      a_->system().Spawn<Asker>(std::ref(outcome), std::ref(asked)).value();
  ASSERT_THAT(a_->node().Export("asker", asker), IsOk());
  BecomePeer();
  Encoder frame;
  AppendItem(internal::TypeItem{0, "test.AskFor", "(@)", ""}, frame);
  // An actor of the stranger's, with the id 9.
  AppendItem(internal::SendHead{asker.id().value(), 0, false}, "\x02\x01\x09",
             frame);
  connection_->Send(TransportLane::kData, std::string(frame.bytes()));
  stranger_->AwaitData();
  Encoder answer;
  AppendItem(internal::ReplyHead{1}, "\x00\xff\xff", answer);
  connection_->Send(TransportLane::kData, std::string(answer.bytes()));
  asked.WaitForNotification();
  EXPECT_THAT(outcome.status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("the answer of actor #9 of b to a "
                                 "test.Count makes no sense")));
  EXPECT_EQ(a_->history().size(), 1) << "the session goes on";
}

// Whatever comes, the node goes on; the sanitizer lanes see the rest.
TEST_F(SessionFaultsTest, RandomFramesHarmNobody) {
  const Poked::Ref known = a_->system().Spawn<Poked>().value();
  ASSERT_THAT(a_->node().Export("known", known), IsOk());
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    BecomePeer();
    Encoder frame;
    AppendItem(internal::TypeItem{0, "test.Poke", "(s)", ""}, frame);
    AppendItem(internal::SendHead{known.id().value(), 0, false}, "\x02\x01x",
               frame);
    AppendItem(internal::MonitorItem{known.id().value(), 1, 1}, frame);
    AppendItem(internal::LinkItem{known.id().value(), 2, 2}, frame);
    AppendItem(internal::NodeItem{3, "c", 8}, frame);
    std::string bytes(frame.bytes());
    for (uint64_t n = random.Uniform(4); n != 0; --n) {
      bytes[random.Uniform(bytes.size())] =
          static_cast<char>(random.Uniform(256));
    }
    connection_->Send(TransportLane::kData, std::move(bytes));
    connection_->Close(absl::OkStatus());
    a_->AwaitPeer("b", false);
  }
  EXPECT_NE(known.status(), ActorStatus::kStarting);
}

}  // namespace
}  // namespace troupe
