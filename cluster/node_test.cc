// Nodes that find each other, and what crosses between their actors.
#include "troupe/cluster/node.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/exports.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Act;
using internal::Journal;
using internal::Person;
using internal::TestCluster;
using internal::TestNode;
using internal::Watcher;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;

struct Add {
  static constexpr absl::string_view kWireName = "test.Add";
  int64_t number = 0;
};
struct Sum {
  static constexpr absl::string_view kWireName = "test.Sum";
  using Reply = int64_t;
};
struct Listen {
  static constexpr absl::string_view kWireName = "test.Listen";
  ActorRef<Add> listener;
};
struct Fault {
  static constexpr absl::string_view kWireName = "test.Fault";
  using Reply = absl::Status;
  std::string what;
};
struct CounterApi : Protocol<Add, Sum, Listen, Fault> {};

class Counter : public Actor<CounterApi> {
 public:
  void Handle(Add m) {
    sum_ += m.number;
    if (!listener_.IsNull()) listener_.Send<Add>(m.number);
  }
  int64_t Handle(Sum) { return sum_; }
  void Handle(Listen m) { listener_ = m.listener; }
  absl::Status Handle(Fault m) {
    if (m.what == "fail") Fail(absl::InternalError("as asked"));
    if (m.what == "throw") throw std::runtime_error("as asked");
    return absl::DataLossError(m.what);
  }

 private:
  int64_t sum_ = 0;
  ActorRef<Add> listener_;
};

class NodeTest : public ::testing::Test {
 protected:
  NodeTest() {
    counter_ = b_->system().Spawn<Counter>().value();
    EXPECT_THAT(b_->node().Export("counter", counter_), IsOk());
    a_->AwaitPeer("b");
    b_->AwaitPeer("a");
  }

  ActorRef<CounterApi> Resolve(TestNode& from) {
    return from.node().ResolveAndWait<CounterApi>("counter@b").value();
  }

  Journal journal_;
  TestCluster cluster_{{"a", "b", "c"}};
  std::unique_ptr<TestNode> a_ = cluster_.Start("a");
  std::unique_ptr<TestNode> b_ = cluster_.Start("b");
  Counter::Ref counter_;
};

//
TEST_F(NodeTest, NodesFindEachOther) {
  EXPECT_THAT(a_->node().Peers(), ElementsAre(b_->node().id()));
  EXPECT_THAT(b_->node().Peers(), ElementsAre(a_->node().id()));
  std::unique_ptr<TestNode> c = cluster_.Start("c");
  c->AwaitPeer("a");
  c->AwaitPeer("b");
  a_->AwaitPeer("c");
  b_->AwaitPeer("c");
  c->Leave();
  a_->AwaitPeer("c", false);
  EXPECT_THAT(a_->history(), ElementsAre("up b", "up c", "down c"));
}

//
TEST_F(NodeTest, MessagesAndCallsCross) {
  const ActorRef<CounterApi> counter = Resolve(*a_);
  EXPECT_TRUE(counter.IsRemote());
  EXPECT_EQ(counter.status(), ActorStatus::kRunning);
  for (int i = 1; i <= 1000; ++i) counter.Send<Add>(i);
  EXPECT_THAT(counter.Call<Sum>().Wait(), IsOkAndHolds(500'500));
  EXPECT_EQ(a_->system().dead_letters(), 0);
  EXPECT_EQ(b_->system().dead_letters(), 0);
}

//
TEST_F(NodeTest, CallsGoBothWays) {
  const Counter::Ref on_a = a_->system().Spawn<Counter>().value();
  ASSERT_THAT(a_->node().Export("counter", on_a), IsOk());
  const auto to_a = b_->node().ResolveAndWait<CounterApi>("counter@a").value();
  const auto to_b = Resolve(*a_);
  for (int i = 0; i < 100; ++i) {
    to_a.Send<Add>(1);
    to_b.Send<Add>(2);
    EXPECT_THAT(to_a.Call<Sum>().Wait(), IsOkAndHolds(i + 1));
    EXPECT_THAT(to_b.Call<Sum>().Wait(), IsOkAndHolds(2 * (i + 1)));
  }
  a_->Leave();
  b_->AwaitPeer("a", false);
  EXPECT_TRUE(b_->node().Peers().empty());
}

TEST_F(NodeTest, AnswersOfTheCalleeStayWhatTheyAre) {
  const ActorRef<CounterApi> counter = Resolve(*a_);
  const absl::Status status = counter.Call<Fault>("lost").Wait();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss, "lost"));
  EXPECT_EQ(Delivery(status), DeliveryState::kAnswered);
  const absl::Status aborted = counter.Call<Fault>("throw").Wait();
  EXPECT_THAT(aborted, StatusIs(absl::StatusCode::kAborted));
  EXPECT_EQ(Delivery(aborted), DeliveryState::kUnknown);
  EXPECT_THAT(counter_.Wait(), IsOk());  // It was answered first.
  const auto gone = counter.Call<Sum>().Wait();
  EXPECT_THAT(gone.status(), StatusIs(absl::StatusCode::kNotFound,
                                      HasSubstr("does not exist")));
  EXPECT_EQ(Delivery(gone), DeliveryState::kNotDelivered);
}

TEST_F(NodeTest, RefsCrossInAllDirections) {
  std::unique_ptr<TestNode> c = cluster_.Start("c");
  c->AwaitPeer("a");
  c->AwaitPeer("b");
  a_->AwaitPeer("c");
  b_->AwaitPeer("c");
  const Counter::Ref on_c = c->system().Spawn<Counter>().value();
  const Counter::Ref on_a = a_->system().Spawn<Counter>().value();
  ASSERT_THAT(c->node().Export("counter", on_c), IsOk());
  // a gives b a reference to an actor of c's.
  const ActorRef<CounterApi> from_a =
      a_->node().ResolveAndWait<CounterApi>("counter@c").value();
  const ActorRef<CounterApi> counter = Resolve(*a_);
  counter.Send<Listen>(from_a);
  counter.Send<Add>(5);
  EXPECT_THAT(counter.Call<Sum>().Wait(), IsOkAndHolds(5));
  // Sent by b before it answered a; another way, so in no order.
  while (from_a.Call<Sum>().Wait().value() != 5) {
  }
  // One of its own comes back to a as a local one.
  counter.Send<Listen>(on_a);
  counter.Send<Add>(2);
  EXPECT_THAT(counter.Call<Sum>().Wait(), IsOkAndHolds(7));
  while (on_a.Call<Sum>().Wait().value() != 2) {
  }
  // One of b's own is a local one there.
  const Counter::Ref other = b_->system().Spawn<Counter>().value();
  ASSERT_THAT(b_->node().Export("other", other), IsOk());
  counter.Send<Listen>(
      a_->node().ResolveAndWait<CounterApi>("other@b").value());
  counter.Send<Add>(1);
  EXPECT_THAT(counter.Call<Sum>().Wait(), IsOkAndHolds(8));
  EXPECT_THAT(other.Call<Sum>().Wait(), IsOkAndHolds(1));
}

TEST_F(NodeTest, LimitsThatMakeNoSenseAreRefused) {
  const auto refused = [this](uint64_t NodeOptions::*limit, uint64_t value) {
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 1}).value();
    NodeOptions options = cluster_.Options("c", *system);
    options.*limit = value;
    return Node::Start(*system, std::move(options)).status();
  };
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  NodeOptions options = cluster_.Options("c", *system);
  options.cluster = std::string(256, 'x');
  EXPECT_THAT(Node::Start(*system, std::move(options)).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("256 bytes, and may have 255")));
  const std::vector<std::pair<const char*, uint64_t NodeOptions::*>> limits = {
      {"outbox_messages", &NodeOptions::outbox_messages},
      {"kept_for_peer", &NodeOptions::kept_for_peer},
      {"max_message_bytes", &NodeOptions::max_message_bytes},
  };
  for (const auto& [name, limit] : limits) {
    for (const uint64_t value :
         {uint64_t{0}, std::numeric_limits<uint64_t>::max()}) {
      EXPECT_THAT(refused(limit, value),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           HasSubstr(absl::StrCat(name, " is ", value))));
    }
  }
}

TEST_F(NodeTest, TimesThatMakeNoSenseAreRefused) {
  const auto refused = [this](absl::FunctionRef<void(NodeOptions&)> change) {
    const std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 1}).value();
    NodeOptions options = cluster_.Options("c", *system);
    change(options);
    return Node::Start(*system, std::move(options)).status();
  };
  for (const absl::Duration heartbeat :
       {-absl::Seconds(1), absl::ZeroDuration(), absl::Nanoseconds(1),
        absl::Microseconds(999)}) {
    EXPECT_THAT(
        refused([&](NodeOptions& options) { options.heartbeat = heartbeat; }),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 HasSubstr("heartbeat is ")));
  }
  EXPECT_THAT(refused([](NodeOptions& options) {
                options.heartbeat = absl::Seconds(3);
              }),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at least three times as long")));
  using Dial = decltype(NodeOptions::dial);
  for (const Dial& dial : {Dial{absl::ZeroDuration(), absl::ZeroDuration()},
                           Dial{-absl::Seconds(1), absl::Seconds(1)},
                           Dial{absl::ZeroDuration(), absl::Seconds(1)},
                           Dial{absl::Seconds(2), absl::Seconds(1)}}) {
    EXPECT_THAT(refused([&](NodeOptions& options) { options.dial = dial; }),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("dial.first_pause is ")));
  }
}

TEST_F(NodeTest, ActorWhoseNameIsTakenCannotBeAddressed) {
  const Counter::Ref second = b_->system().Spawn<Counter>().value();
  EXPECT_THAT(b_->node().Export("counter", second),
              StatusIs(absl::StatusCode::kAlreadyExists));
  internal::Exports& exports = b_->node().core().exports();
  EXPECT_TRUE(exports.Find(second.id().value()).actor.IsNull());
  // Nor has one of another system the name that it did not get.
  EXPECT_THAT(a_->node().Export("second", second),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const Counter::Ref third = a_->system().Spawn<Counter>().value();
  EXPECT_THAT(a_->node().Export("second", third), IsOk());
}

TEST_F(NodeTest, ResolvingSaysWhatIsWrong) {
  Node& node = a_->node();
  EXPECT_THAT(node.ResolveAndWait<CounterApi>("none@b").status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("'none'")));
  EXPECT_THAT(node.ResolveAndWait<CounterApi>("counter@x").status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("'x'")));
  EXPECT_THAT(node.ResolveAndWait<CounterApi>("counter").status(),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

namespace other {
struct Add {
  static constexpr absl::string_view kWireName = "test.Add";
  std::string number;
};
struct Unknown {
  static constexpr absl::string_view kWireName = "test.Unknown";
};
}  // namespace other

TEST_F(NodeTest, ResolvingComparesTypes) {
  std::unique_ptr<TestNode> c = cluster_.Start("c");
  c->AwaitPeer("b");
  EXPECT_THAT(c->node().ResolveAndWait<other::Add>("counter@b").status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("test.Add: the shapes differ")));
  EXPECT_THAT(c->node().ResolveAndWait<other::Unknown>("counter@b").status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("does not take test.Unknown")));
  EXPECT_THAT(a_->node().ResolveAndWait<CounterApi>("counter@b"), IsOk());
  EXPECT_THAT(a_->node().ResolveAndWait<other::Add>("counter@b").status(),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       HasSubstr("two messages have the name test.Add")));
}

// Actors on a that do what they are told, and note what they hear.
class NodeWatchTest : public NodeTest {
 protected:
  void Do(const Watcher::Ref& who, std::function<void(Person&)> what) {
    EXPECT_THAT(who.Call<Act>([&what](Person& person) -> Task<absl::Status> {
                     what(person);
                     co_return absl::OkStatus();
                   })
                    .Wait(),
                IsOk());
  }
  std::vector<std::string> NotesUntil(size_t count) {
    while (journal_.lines().size() < count) Do(watcher_, [](Person&) {});
    return journal_.lines();
  }

  const ActorRef<CounterApi> far_ = Resolve(*a_);
  Watcher::Ref watcher_ = a_->system().Spawn<Watcher>(journal_).value();
};

// §28
TEST_F(NodeWatchTest, MonitorsCross) {
  Do(watcher_, [&](Person& person) { person.Monitor(far_); });
  Do(watcher_, [&](Person& person) { person.Monitor(far_); });
  // Behind the monitors, which are control, nothing else is.
  EXPECT_THAT(far_.StopAndWait(ExitReason::Shutdown("done")),
              IsOkAndHolds(ExitReason::Shutdown("done")));
  EXPECT_THAT(NotesUntil(2),
              ElementsAre("down shutdown (done)", "down shutdown (done)"));
  Do(watcher_, [&](Person& person) { person.Monitor(far_); });
  EXPECT_THAT(NotesUntil(3).back(), "down no such actor");
}

TEST_F(NodeWatchTest, LostNodeIsTheEndOfAllMonitors) {
  Do(watcher_, [&](Person& person) { person.Monitor(far_); });
  b_->Leave();
  EXPECT_THAT(NotesUntil(1), ElementsAre("down no connection"));
  a_->AwaitPeer("b", false);
  Do(watcher_, [&](Person& person) { person.Monitor(far_); });
  EXPECT_THAT(NotesUntil(2).back(), "down no connection");
  EXPECT_EQ(far_.status(), ActorStatus::kStopped);
  EXPECT_EQ(far_.TrySend(Add{1}), SendResult::kUnreachable);
}

TEST_F(NodeTest, CallsThatWaitFailWithTheConnection) {
  // Never answers.
  struct Mute : Actor<Sum> {
    void Handle(Sum, ReplyTo<int64_t> to) { kept.push_back(std::move(to)); }
    std::vector<ReplyTo<int64_t>> kept;
  };
  const auto mute = b_->system().Spawn<Mute>().value();
  ASSERT_THAT(b_->node().Export("mute", mute), IsOk());
  const ActorRef<Sum> far = a_->node().ResolveAndWait<Sum>("mute@b").value();
  auto call = far.Call<Sum>().Within(absl::InfiniteDuration()).Start();
  EXPECT_THAT(far.Call<Sum>().Within(absl::Milliseconds(1)).Wait().status(),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  b_->Leave();
  const auto lost = std::move(call).Wait();
  EXPECT_THAT(lost.status(), StatusIs(absl::StatusCode::kUnavailable));
}

// §13, §17
TEST_F(NodeTest, DrainLetsBeHandledWhatWasSentBefore) {
  const ActorRef<CounterApi> far = Resolve(*a_);
  const Counter::Ref listener = a_->system().Spawn<Counter>().value();
  far.Send<Listen>(listener);
  for (int i = 0; i < 1000; ++i) far.Send<Add>(1);
  EXPECT_THAT(far.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_EQ(b_->system().dead_letters(), 0);
  while (listener.Call<Sum>().Wait().value() != 1000) {
  }
}

TEST_F(NodeTest, EndsCanBeAskedForAndAwaited) {
  const ActorRef<CounterApi> far = Resolve(*a_);
  EXPECT_THAT(far.Wait(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_THAT(far.KillAndWait(), IsOkAndHolds(ExitReason::Killed()));
  EXPECT_THAT(far.Wait(), IsOkAndHolds(ExitReason::NoActor()));
}

}  // namespace
}  // namespace troupe
