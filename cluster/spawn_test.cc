// Actors that one node has started on another.
#include "troupe/cluster/spawn.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

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
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/watch_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/cluster_testing.h"
#include "troupe/cluster/node.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/remotable.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Act;
using internal::Have;
using internal::Journal;
using internal::Person;
using internal::TestCluster;
using internal::TestNode;
using internal::Trapper;
using internal::Watcher;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::IsOk;
using testing::IsOkAndHolds;
using ::testing::Not;
using testing::StatusIs;
using ::testing::UnorderedElementsAre;

struct Add {
  static constexpr absl::string_view kWireName = "test.Add";
  int64_t number = 0;
};
struct Sum {
  static constexpr absl::string_view kWireName = "test.Sum";
  using Reply = int64_t;
};
struct Unheard {
  static constexpr absl::string_view kWireName = "test.Unheard";
};
struct Local {};

// What the actors of a test note; factories have no other arguments than those
// that cross.
Journal* journal_of_test = nullptr;

// Begins with a number, tells a listener, and fails to start as it is told.
class Counter : public Actor<Add, Sum> {
 public:
  Counter(int64_t number, std::string how, ActorRef<Add> listener)
      : sum_(number), how_(std::move(how)), listener_(listener) {
    if (how_ == "throw") throw std::runtime_error("as asked");
  }
  ~Counter() { journal_of_test->Add("counter gone"); }
  absl::Status PreStart() {
    return how_ == "fail" ? absl::DataLossError("no data") : absl::OkStatus();
  }
  void PostStop(const ExitReason& reason) {
    journal_of_test->Add(absl::StrCat("counter stops: ", reason.ToString()));
  }
  void Handle(Add m) {
    sum_ += m.number;
    if (!listener_.IsNull()) listener_.Send<Add>(sum_);
  }
  int64_t Handle(Sum) { return sum_; }

 private:
  int64_t sum_;
  const std::string how_;
  const ActorRef<Add> listener_;
};

// Takes its time to start.
class Slow : public Actor<Sum> {
 public:
  explicit Slow(absl::Duration how_long) : how_long_(how_long) {}
  ~Slow() { journal_of_test->Add("slow gone"); }
  Task<void> PreStart() {
    (void)co_await Sleep(how_long_);
    started_ = 1;
  }
  int64_t Handle(Sum) { return started_; }

 private:
  const absl::Duration how_long_;
  int64_t started_ = 0;
};

// Of messages that stay at home, too.
class Half : public Actor<Sum, Local> {
 public:
  int64_t Handle(Sum) { return 9; }
  void Handle(Local) {}
};

//
TEST(RemotableTest, ActorsSayWhetherAllOfThemCrosses) {
  EXPECT_TRUE(Remotable<Counter>);
  EXPECT_TRUE(Remotable<Slow>);
  EXPECT_FALSE(Remotable<Half>);
}

class SpawnTest : public ::testing::Test {
 protected:
  explicit SpawnTest(Authorization rules = Authorization::Everything())
      : cluster_({"a", "b"}, std::move(rules)) {
    journal_of_test = &journal_;
    a_ = cluster_.Start("a");
    b_ = cluster_.Start("b");
    for (Node* const node : {&a_->node(), &b_->node()}) {
      EXPECT_THAT((ExportFactory<Counter(int64_t, std::string, ActorRef<Add>)>(
                      *node, "counter")),
                  IsOk());
      EXPECT_THAT(ExportFactory<Slow(absl::Duration)>(*node, "slow"), IsOk());
      EXPECT_THAT((ExportFactory<Half(), Sum>(*node, "half")), IsOk());
    }
    a_->AwaitPeer("b");
    b_->AwaitPeer("a");
  }
  ~SpawnTest() override {
    a_ = nullptr;
    b_ = nullptr;
  }

  absl::StatusOr<ActorRef<Add, Sum>> Start(SpawnOnOptions options = {},
                                           absl::string_view how = "") {
    return SpawnOnAndWait<Add, Sum>(a_->node(), "counter@b", options, 5, how,
                                    ActorRef<Add>());
  }
  // An actor on a that may be an owner.
  ActorRef<Act> Owner() {
    return a_->system().Spawn<Trapper>(journal_).value();
  }
  void AwaitLines(size_t count) {
    while (journal_.lines().size() < count) {
      (void)a_->system().Spawn<Trapper>(journal_).value().StopAndWait();
    }
  }

  Journal journal_;
  TestCluster cluster_;
  std::unique_ptr<TestNode> a_;
  std::unique_ptr<TestNode> b_;
};

TEST_F(SpawnTest, ActorStartsThereFromItsArguments) {
  const auto counter = Start();
  ASSERT_THAT(counter, IsOk());
  EXPECT_TRUE(counter->IsRemote());
  counter->Send<Add>(2);
  EXPECT_THAT(counter->Call<Sum>().Wait(), IsOkAndHolds(7));
}

TEST_F(SpawnTest, OwnNodeIsOneLikeAnother) {
  const auto counter =
      SpawnOnAndWait<Sum>(a_->node(), "counter@a", {}, 5, "", ActorRef<Add>());
  ASSERT_THAT(counter, IsOk());
  EXPECT_FALSE(counter->IsRemote());
  EXPECT_THAT(counter->Call<Sum>().Wait(), IsOkAndHolds(5));
}

// Asks for it in a handler, and is told by reference.
struct Begin {
  using Reply = absl::StatusOr<int64_t>;
};
class Asker : public Actor<Begin, Add> {
 public:
  explicit Asker(Node& node) : node_(node) {}
  Task<absl::StatusOr<int64_t>> Handle(Begin) {
    const auto counter = co_await SpawnOn<Add, Sum>(
        node_, "counter@b", {.owner = self()}, 5, "", ActorRef<Add>(self()));
    if (!counter.ok()) co_return counter.status();
    counter->Send<Add>(1);
    co_return co_await counter->Call<Sum>();
  }
  void Handle(Add m) { journal_of_test->Add(absl::StrCat("told ", m.number)); }

 private:
  Node& node_;
};

TEST_F(SpawnTest, ReferencesAreArgumentsLikeOthers) {
  const Asker::Ref asker =
      a_->system().Spawn<Asker>(std::ref(a_->node())).value();
  EXPECT_THAT(asker.Call<Begin>().Wait(), IsOkAndHolds(6));
  AwaitLines(1);
  EXPECT_THAT(journal_.lines(), ElementsAre("told 6"));
}

TEST_F(SpawnTest, StartThatFailsSaysWhy) {
  EXPECT_THAT(Start({}, "fail").status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("'counter' of 'b' cannot start"),
                             HasSubstr("no data"))));
  EXPECT_THAT(Start({}, "throw").status(),
              StatusIs(absl::StatusCode::kUnknown, HasSubstr("as asked")));
}

// R-016, §35: nothing but what was exported.
TEST_F(SpawnTest, OnlyWhatWasExportedCanBeStarted) {
  EXPECT_THAT(SpawnOnAndWait<Sum>(a_->node(), "other@b", {}).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       HasSubstr("'b' exports no factory 'other'")));
  EXPECT_THAT(
      SpawnOnAndWait<Sum>(a_->node(), "counter", {}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("say name@node")));
  EXPECT_THAT(SpawnOnAndWait<Sum>(a_->node(), "counter@c", {}).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("'c'")));
  EXPECT_THAT(ExportFactory<Slow(absl::Duration)>(a_->node(), "slow"),
              StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(ExportFactory<Slow(absl::Duration)>(a_->node(), "a@b"),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_F(SpawnTest, ArgumentsAndMessagesAreCompared) {
  EXPECT_THAT(SpawnOnAndWait<Sum>(a_->node(), "slow@b", {}, "long").status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the arguments of 'slow' of 'b'")));
  EXPECT_THAT(SpawnOnAndWait<Sum>(a_->node(), "slow@b", {}).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(SpawnOnAndWait<Unheard>(a_->node(), "half@b", {}).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("what 'half' of 'b' makes: it does not take "
                                 "test.Unheard")));
  const auto half = SpawnOnAndWait<Sum>(a_->node(), "half@b", {});
  ASSERT_THAT(half, IsOk());
  EXPECT_THAT(half->Call<Sum>().Wait(), IsOkAndHolds(9));
}

TEST_F(SpawnTest, AnswerComesWhenPreStartHasEnded) {
  const auto slow =
      SpawnOnAndWait<Sum>(a_->node(), "slow@b", {}, absl::Milliseconds(20));
  ASSERT_THAT(slow, IsOk());
  EXPECT_THAT(slow->Call<Sum>().Wait(), IsOkAndHolds(1));
}

TEST_F(SpawnTest, StartThatTakesTooLongIsEnded) {
  // It may take that long until b hears of it, and begins none.
  do {
    EXPECT_THAT(
        SpawnOnAndWait<Sum>(a_->node(), "slow@b",
                            {.within = absl::Milliseconds(20)}, absl::Hours(1))
            .status(),
        StatusIs(absl::StatusCode::kDeadlineExceeded));
  } while (journal_.lines().empty());
  EXPECT_THAT(journal_.lines(), Each("slow gone"));
}

TEST_F(SpawnTest, ActorStopsWithAnOwnerThatStops) {
  const ActorRef<Act> owner = Owner();
  const auto counter = Start({.owner = owner});
  ASSERT_THAT(counter, IsOk());
  owner.Stop();
  EXPECT_THAT(counter->Wait(), IsOk());
  AwaitLines(2);
  EXPECT_THAT(
      journal_.lines(),
      ElementsAre(HasSubstr("counter stops: shutdown"), "counter gone"));
}

TEST_F(SpawnTest, ActorIsKilledWithAnOwnerThatIsKilled) {
  const ActorRef<Act> owner = Owner();
  const auto counter = Start({.owner = owner});
  ASSERT_THAT(counter, IsOk());
  // Asked for before the end, and in the same lane as it.
  const auto watcher = a_->system().Spawn<Watcher>(journal_);
  ASSERT_THAT(watcher, IsOk());
  Have(*watcher, [&](Person& person) { person.Monitor(*counter); });
  owner.Kill();
  AwaitLines(2);
  EXPECT_THAT(journal_.lines(),
              UnorderedElementsAre("counter gone", "down killed"));
}

// Where no end can be told, each side sees to its own.
TEST_F(SpawnTest, ActorStopsWhenItsOwnerCannotBeReached) {
  const ActorRef<Act> owner = Owner();
  const auto counter = Start({.owner = owner});
  ASSERT_THAT(counter, IsOk());
  EXPECT_THAT(counter->Call<Sum>().Wait(), IsOk());
  a_->Leave();
  EXPECT_EQ(owner.status(), ActorStatus::kRunning);
  AwaitLines(2);
  EXPECT_THAT(journal_.lines(),
              ElementsAre(AllOf(HasSubstr("counter stops: shutdown"),
                                HasSubstr("no connection")),
                          "counter gone"));
}

TEST_F(SpawnTest, ActorWithoutAnOwnerLivesOn) {
  const ActorRef<Act> owner = Owner();
  const auto owned = Start({.owner = owner});
  const auto free = Start();
  ASSERT_THAT(owned, IsOk());
  ASSERT_THAT(free, IsOk());
  ASSERT_THAT(free->Call<Sum>().Wait(), IsOk());
  a_->Leave();
  AwaitLines(2);
  b_ = nullptr;  // Its system ends it, and nobody before.
  EXPECT_THAT(journal_.lines(),
              ElementsAre(HasSubstr("no connection"), "counter gone",
                          AllOf(HasSubstr("counter stops: shutdown"),
                                Not(HasSubstr("no connection"))),
                          "counter gone"));
}

class RestrictedSpawnTest : public SpawnTest {
 protected:
  static Authorization Rules() {
    Authorization rules;
    rules.Assign("a", "starter").Allow("starter", {Verb::kSpawn}, "count");
    return rules;
  }
  RestrictedSpawnTest() : SpawnTest(Rules()) {}
};

TEST_F(RestrictedSpawnTest, RulesSayWhatMayBeStarted) {
  EXPECT_THAT(Start(), IsOk());
  EXPECT_THAT(
      SpawnOnAndWait<Sum>(a_->node(), "slow@b", {}, absl::ZeroDuration())
          .status(),
      StatusIs(absl::StatusCode::kPermissionDenied,
               AllOf(HasSubstr("may not spawn 'slow' of 'b'"),
                     HasSubstr("{Verb::kSpawn}, \"slow\""))));
  // b is no starter at a.
  EXPECT_THAT(
      SpawnOnAndWait<Sum>(b_->node(), "counter@a", {}, 5, "", ActorRef<Add>())
          .status(),
      StatusIs(absl::StatusCode::kPermissionDenied));
}

TEST_F(RestrictedSpawnTest, WhoHadItStartedMayKillIt) {
  const auto counter = Start();
  ASSERT_THAT(counter, IsOk());
  EXPECT_THAT(counter->KillAndWait(), IsOkAndHolds(ExitReason::Killed()));
}

// On one node, in virtual time: whoever asked never says that he has heard.
TEST(SpawnKeeperTest, ActorOfWhichNobodyKnowsIsKilled) {
  Journal journal;
  journal_of_test = &journal;
  TestCluster cluster({"a"});
  TestNode a(ActorSystem::CreateOn(
      std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{}),
      {}));
  a.Join(cluster.Options("a", a.system()));
  ASSERT_THAT(ExportFactory<Slow(absl::Duration)>(a.node(), "slow"), IsOk());
  absl::StatusOr<internal::SpawnActor> request = internal::AskForStart(
      a.node().core(), WireTypesOf<Sum>(), absl::ZeroDuration());
  ASSERT_THAT(request, IsOk());
  request->factory = "slow";
  const AnyActorRef receptionist = a.node().receptionist();
  const auto started = ActorRef<internal::SpawnActor>(receptionist.cell(),
                                                      receptionist.id().value())
                           .Call<internal::SpawnActor>(*request)
                           .Within(absl::Seconds(1))
                           .Wait();
  ASSERT_THAT(started, IsOk());
  const auto run_for = [&](absl::Duration how_long) {
    Executor& executor = a.system().executor();
    (void)executor.RunUntil([] { return false; },
                            executor.clock().Now() + how_long);
  };
  run_for(internal::Keeper::kClaimWithin);
  EXPECT_THAT(journal.lines(), IsEmpty());
  run_for(absl::Seconds(1));
  EXPECT_THAT(journal.lines(), ElementsAre("slow gone"));
  EXPECT_EQ(started->keeper.status(), ActorStatus::kStopped);
}

}  // namespace
}  // namespace troupe
