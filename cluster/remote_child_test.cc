// Supervisors whose children run on other nodes.
#include "troupe/cluster/remote_child.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/in_process_transport.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/other_end_testing.h"
#include "troupe/cluster/internal/port_items.h"
#include "troupe/cluster/internal/spawn_request.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervision_testing.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Journal;
using internal::Reports;
using internal::TestCluster;
using internal::TestNode;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;
using Decision = SupervisionReport::Decision;
using Kind = ExitReason::Kind;

struct Fault {
  static constexpr absl::string_view kWireName = "test.Fault";
  std::string what;
};
struct Ask {
  static constexpr absl::string_view kWireName = "test.Ask";
  using Reply = int64_t;  // How often it was asked.
};
struct Ignore {
  static constexpr absl::string_view kWireName = "test.Ignore";
  using Reply = int64_t;
};
struct WorkApi : Protocol<Fault, Ask, Ignore> {};

// Factories take only what crosses.
Journal* journal_of_test = nullptr;

// Notes starts and ends: "+x", "-x normal".
class Work : public Actor<WorkApi> {
 public:
  explicit Work(std::string name) : name_(std::move(name)) {
    journal_of_test->Add(absl::StrCat("+", name_));
  }
  ~Work() { journal_of_test->Add(absl::StrCat("-", name_)); }

  void PostStop(const ExitReason& reason) {
    journal_of_test->Add(absl::StrCat(name_, " ", reason.ToString()));
  }
  absl::Status Handle(Fault m) {
    if (m.what == "leave") {
      StopSelf();
    } else if (m.what != "kill") {
      return absl::DataLossError(m.what);
    } else {
      self().Kill();
    }
    return absl::OkStatus();
  }
  int64_t Handle(Ask) { return ++asked_; }
  void Handle(Ignore, ReplyTo<int64_t> reply) {
    ignored_ = std::move(reply);
    journal_of_test->Add("ignores");
  }

 private:
  const std::string name_;
  int64_t asked_ = 0;
  ReplyTo<int64_t> ignored_;
};

class RemoteChildTest : public ::testing::Test {
 protected:
  explicit RemoteChildTest(Authorization rules = Authorization::Everything())
      : cluster_({"a", "b", "c"}, std::move(rules)) {
    journal_of_test = &journal_;
    a_ = cluster_.Start("a");
    b_ = Add("b");
    c_ = Add("c");
    reports_ = std::make_unique<Reports>(a_->system());
  }
  ~RemoteChildTest() override {
    if (supervisor_.has_value()) (void)supervisor_->StopAndWait();
    reports_ = nullptr;
    a_ = nullptr;
    b_ = nullptr;
    c_ = nullptr;
  }

  std::unique_ptr<TestNode> Add(const std::string& name) {
    std::unique_ptr<TestNode> node = cluster_.Start(name);
    EXPECT_THAT(ExportFactory<Work(std::string)>(node->node(), "work"), IsOk());
    a_->AwaitPeer(name);
    return node;
  }
  auto On(Place where, absl::string_view name) {
    return ChildOn<WorkApi>(
        a_->node(), {.where = std::move(where), .factory = "work"}, name);
  }
  absl::Status Start(Supervisor::Spec spec) {
    absl::StatusOr<SupervisorRef> started =
        Supervisor::Start(a_->system(), std::move(spec));
    if (started.ok()) supervisor_ = *started;
    return started.status();
  }
  void AwaitEntry(absl::string_view entry, size_t count = 1) {
    while (journal_.CountOf(entry) < count) Breathe();
  }
  void AwaitReports(size_t count) {
    while (reports_->Get().size() < count) Breathe();
  }
  // Lets the others play: a round trip.
  void Breathe() {
    class Nobody : public Actor<Fault> {
     public:
      void Handle(Fault) {}
    };
    (void)a_->system().Spawn<Nobody>().value().StopAndWait();
  }

  Journal journal_;
  TestCluster cluster_;
  std::unique_ptr<TestNode> a_;
  std::unique_ptr<TestNode> b_;
  std::unique_ptr<TestNode> c_;
  std::unique_ptr<Reports> reports_;
  std::optional<SupervisorRef> supervisor_;
};

TEST_F(RemoteChildTest, ChildIsUsedAsOneAtHome) {
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(child.ref().Call<Ask>().Wait(), IsOkAndHolds(2));
  EXPECT_THAT(supervisor_->StopAndWait(), IsOk());
  EXPECT_THAT(journal_.entries(), ElementsAre("+x", "x shutdown", "-x"));
  EXPECT_TRUE(reports_->Get().empty());
}

TEST_F(RemoteChildTest, FailureIsRestartedAndReportedWithItsReason) {
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  child.Send<Fault>("no disk");
  AwaitReports(1);
  const SupervisionReport report = reports_->Get().front();
  EXPECT_EQ(report.reason, ExitReason::Failed(absl::DataLossError("no disk")));
  EXPECT_EQ(report.decision, Decision::kRestart);
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(journal_.entries(), ElementsAre("+x", "-x", "+x"));
}

TEST_F(RemoteChildTest, OwnNodeIsOneLikeAnother) {
  ASSERT_THAT(ExportFactory<Work(std::string)>(a_->node(), "work"), IsOk());
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On("a", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  child.Send<Fault>("no disk");
  AwaitReports(1);
  EXPECT_EQ(reports_->Get().front().reason,
            ExitReason::Failed(absl::DataLossError("no disk")));
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
}

TEST_F(RemoteChildTest, TransientChildMayLeave) {
  Supervisor::Spec spec;
  spec.intensity = {.restarts = 2};
  const auto child = spec.Add({.id = "x", .restart = kTransient}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  child.Send<Fault>("kill");
  AwaitReports(1);
  EXPECT_EQ(reports_->Get().front().reason, ExitReason::Killed());
  AwaitEntry("+x", 2);
  child.Send<Fault>("leave");
  AwaitReports(2);
  EXPECT_EQ(reports_->Get().back().reason, ExitReason::Normal());
  EXPECT_EQ(reports_->Get().back().decision, Decision::kLeave);
  // No instance is to follow.
  while (child.Call<Ask>().Wait().status().code() !=
         absl::StatusCode::kNotFound) {
    Breathe();
  }
  EXPECT_EQ(journal_.CountOf("+x"), 2);
}

TEST_F(RemoteChildTest, LostNodeIsTheEndOfTheChildHere) {
  std::string where = "b";
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On([&where] { return where; }, "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
  where = "c";
  b_->Leave();
  AwaitReports(1);
  EXPECT_EQ(reports_->Get().front().reason, ExitReason::NoConnection());
  EXPECT_EQ(reports_->Get().front().decision, Decision::kRestart);
  // On c, from the beginning.
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
  // The one that was left behind is stopped by its own node.
  AwaitEntry("-x");
  EXPECT_THAT(journal_.entries(),
              ::testing::Contains(
                  AllOf(HasSubstr("x shutdown"), HasSubstr("no connection"))));
}

TEST_F(RemoteChildTest, NodeThatStaysAwayUsesUpTheIntensity) {
  Supervisor::Spec spec;
  spec.intensity = {.restarts = 3};
  spec.Add({.id = "x",
            .backoff = RestartBackoff{.initial = absl::Milliseconds(1),
                                      .max = absl::Milliseconds(2)}},
           On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  // Wait() would know no reason if it had ended before.
  std::optional<ExitReason> why;
  absl::Notification ended;
  const Subscription subscription = a_->system().Subscribe<ActorEnded>(
      [&, id = supervisor_->id()](const ActorEnded& event) {
        if (event.actor != id) return;
        why = event.reason;
        ended.Notify();
      });
  b_->Leave();
  ended.WaitForNotification();
  EXPECT_THAT(why->status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("'a' has no session with 'b'")));
  EXPECT_EQ(reports_->Get().size(), 4);
}

TEST_F(RemoteChildTest, FirstStartThatFailsFailsTheSupervisor) {
  Supervisor::Spec spec;
  spec.Add({.id = "x"}, On("b", "x"));
  spec.Add({.id = "y"},
           ChildOn<WorkApi>(a_->node(), {.where = "c", .factory = "none"}));
  EXPECT_THAT(Start(std::move(spec)),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("'c' exports no factory 'none'")));
  EXPECT_THAT(journal_.entries(), ElementsAre("+x", "x shutdown", "-x"));
}

TEST_F(RemoteChildTest, OrderHoldsAcrossNodes) {
  Supervisor::Spec spec;
  spec.strategy = kRestForOne;
  spec.Add({.id = "x"}, On("b", "x"));
  const auto y = spec.Add({.id = "y"}, On("c", "y"));
  spec.Add<Work>({.id = "z"}, "z");  // At home.
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  y.Send<Fault>("broken");
  AwaitEntry("+z", 2);
  EXPECT_THAT(y.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(supervisor_->StopAndWait(), IsOk());
  EXPECT_THAT(journal_.entries(),
              ElementsAre("+x", "+y", "+z",          //
                          "-y", "z shutdown", "-z",  //
                          "+y", "+z",                //
                          "z shutdown", "-z",        //
                          "y shutdown", "-y", "x shutdown", "-x"));
}

TEST_F(RemoteChildTest, BrutalShutdownKillsThere) {
  Supervisor::Spec spec;
  spec.Add({.id = "x", .shutdown = Shutdown::Brutal()}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  EXPECT_THAT(supervisor_->StopAndWait(), IsOk());
  AwaitEntry("-x");
  EXPECT_THAT(journal_.entries(), ElementsAre("+x", "-x"));
}

TEST_F(RemoteChildTest, SupervisorThatIsKilledTakesItAlong) {
  Supervisor::Spec spec;
  spec.Add({.id = "x"}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  EXPECT_THAT(supervisor_->KillAndWait(), IsOk());
  AwaitEntry("-x");
  EXPECT_THAT(journal_.entries(), ElementsAre("+x", "-x"));
}

TEST_F(RemoteChildTest, GivenUpCallsAreGivenUpThere) {
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  auto ignored = child.Call<Ignore>().Within(absl::InfiniteDuration()).Start();
  AwaitEntry("ignores");
  EXPECT_THAT(
      child.Call<Ignore>().Within(absl::Milliseconds(5)).Wait().status(),
      StatusIs(absl::StatusCode::kDeadlineExceeded));
  child.Send<Fault>("kill");
  // Of the first, its duty was dropped for the second, or ended with it.
  EXPECT_FALSE(std::move(ignored).Wait().ok());
}

// Becomes a peer of a, as the node "d", that tells the actor `to` of an end,
// once by a message and once by a port; until a has taken all of it.
void TellOfAnEnd(TestCluster& cluster, TestNode& a, uint64_t to) {
  const std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 1}).value();
  InProcessTransport transport(cluster.network(), system->executor());
  internal::Line d;
  d.connection = transport.Dial("a", d.heard).value();
  internal::HelloItem hello = internal::OtherEnd::Hello();
  hello.name = "d";
  d.Say(hello);
  a.AwaitPeer("d");
  const WireType& type = WireTypeOf<internal::RemoteEnd>();
  d.Say(internal::TypeItem{0, std::string(type.name), type.shape, ""},
        TransportLane::kData);
  Encoder payload;
  Encode(internal::RemoteEnd{ExitReason::Failed(absl::DataLossError("lie"))},
         payload);
  Encoder frame;
  AppendItem(internal::SendHead{to, 0, false}, payload.bytes(), frame);
  AppendItem(internal::PortOpenItem{1, 0, to, 0, 10}, frame);
  AppendItem(internal::PublishedHead{1, 0}, payload.bytes(), frame);
  d.connection->Send(TransportLane::kData, std::string(frame.bytes()));
  d.connection->Close(absl::OkStatus());
  a.AwaitPeer("d", false);
}

// Clause 35, whatever the rules.
TEST_F(RemoteChildTest, OnlyTheNodeOfTheChildTellsOfItsEnd) {
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  TellOfAnEnd(cluster_, *a_, child.ref().id().value());
  EXPECT_EQ(a_->system().dead_letters(), 2);
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_TRUE(reports_->Get().empty());
}

// Where nothing is allowed but what remote children need.
class GuardedRemoteChildTest : public RemoteChildTest {
 protected:
  static Authorization Rules() {
    Authorization rules = Authorization::Nothing();
    rules.Assign("a", "parent").Allow("parent", {Verb::kSpawn}, "work");
    rules.Assign("b", "host").Allow("host", {Verb::kWatch});
    return rules;
  }
  GuardedRemoteChildTest() : RemoteChildTest(Rules()) {}
};

TEST_F(GuardedRemoteChildTest, OnlyTheNodeOfTheChildTellsOfItsEnd) {
  Supervisor::Spec spec;
  const auto child = spec.Add({.id = "x"}, On("b", "x"));
  ASSERT_THAT(Start(std::move(spec)), IsOk());
  TellOfAnEnd(cluster_, *a_, child.ref().id().value());
  EXPECT_EQ(a_->system().dead_letters(), 2);
  EXPECT_THAT(child.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_TRUE(reports_->Get().empty());
  EXPECT_EQ(b_->system().dead_letters(), 0);  // It has taken the KeepActor.

  child.Send<Fault>("no disk");
  AwaitReports(1);
  EXPECT_EQ(reports_->Get().front().reason,
            ExitReason::Failed(absl::DataLossError("no disk")));
}

}  // namespace
}  // namespace troupe
