// What supervisors can be asked while they run (§30), and dynamic ones.
#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervision_testing.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervision_tree.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Ask;
using internal::Hurt;
using internal::Journal;
using internal::Leave;
using internal::PlayUntil;
using internal::Worker;
using internal::WorkerApi;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class AdminCallsTest : public internal::SystemTest {
 protected:
  SupervisorRef Start(Supervisor::Spec spec) {
    return Supervisor::Start(*system_, std::move(spec)).value();
  }
  ChildSpec WorkerNamed(std::string id, ChildOptions options = {}) {
    options.id = id;
    return ChildSpec::Of<Worker>(options, std::ref(journal_),
                                 id.empty() ? "nameless" : id);
  }
  static ChildStatus StatusOf(SupervisorRef supervisor, ChildName child) {
    return supervisor.Call<GetChild>(child).Wait()->status;
  }

  Journal journal_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
};

INSTANTIATE_TEST_SUITE_P(Executors, AdminCallsTest, internal::AllExecutors());

TEST_P(AdminCallsTest, StartsAChild) {
  const SupervisorRef bank = Start({.name = "bank"});
  const absl::StatusOr<AnyActorRef> a =
      bank.Call<StartChild>(WorkerNamed("a")).Wait();
  ASSERT_THAT(a, IsOk());
  EXPECT_THAT(a->As<WorkerApi>()->Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(bank.Call<StartChild>(WorkerNamed("a")).Wait(),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       AllOf(HasSubstr("'bank'"), HasSubstr("'a'"),
                             HasSubstr(a->ToString()))));
  EXPECT_THAT(bank.Call<StartChild>(WorkerNamed("")).Wait(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("id")));
}

TEST_P(AdminCallsTest, ChildThatCannotStartIsForgotten) {
  const SupervisorRef bank = Start({.name = "bank"});
  EXPECT_THAT(
      bank.Call<StartChild>(
              ChildSpec::Of({.id = "a"},
                            [](StartContext&) -> absl::StatusOr<Worker::Ref> {
                              return absl::UnavailableError("no disk");
                            }))
          .Wait(),
      StatusIs(absl::StatusCode::kUnavailable,
               AllOf(HasSubstr("starting child 'a'"), HasSubstr("no disk"))));
  EXPECT_THAT(bank.Call<StartChild>(WorkerNamed("a")).Wait(), IsOk());
}

TEST_P(AdminCallsTest, TerminatesRestartsAndDeletes) {
  const SupervisorRef bank = Start({.name = "bank"});
  ASSERT_THAT(bank.Call<StartChild>(WorkerNamed("a")).Wait(), IsOk());
  EXPECT_THAT(bank.Call<RestartChild>("a").Wait(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("it runs; terminate it first")));
  EXPECT_THAT(bank.Call<DeleteChild>("a").Wait(),
              StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(bank.Call<TerminateChild>("a").Wait(), IsOk());
  EXPECT_THAT(journal_.entries(), ElementsAre("+a", "-a"));
  EXPECT_EQ(StatusOf(bank, "a"), ChildStatus::kIdle);
  EXPECT_THAT(bank.Call<TerminateChild>("a").Wait(), IsOk());
  EXPECT_THAT(bank.Call<RestartChild>("a").Wait(), IsOk());
  EXPECT_THAT(bank.Call<TerminateChild>("a").Wait(), IsOk());
  EXPECT_THAT(bank.Call<DeleteChild>("a").Wait(), IsOk());
  for (const absl::Status& status :
       {bank.Call<DeleteChild>("a").Wait(),
        bank.Call<TerminateChild>("a").Wait(),
        bank.Call<RestartChild>("a").Wait().status(),
        bank.Call<GetChild>("a").Wait().status()}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                                 HasSubstr("'bank' has no child 'a'")));
  }
}

// §29: however many starts are to be tried before it is forgotten.
TEST_P(AdminCallsTest, DeletedChildIsGoneForTheNextWhoAsks) {
  constexpr int kOthers = 300;
  std::atomic<bool> can_start = true;
  Supervisor::Spec spec{
      .name = "bank",
      .intensity = {.restarts = 1'000'000, .within = absl::Milliseconds(1)}};
  for (int i = 0; i < kOthers; ++i) {
    spec.children.push_back(ChildSpec::Of(
        {.id = absl::StrCat(i)},
        [&](StartContext& context) -> absl::StatusOr<Worker::Ref> {
          if (!can_start) return absl::UnavailableError("no disk");
          return context.Spawn<Worker>(std::ref(journal_), "other");
        }));
  }
  spec.children.push_back(WorkerNamed("x"));
  const SupervisorRef bank = Start(std::move(spec));
  ASSERT_THAT(bank.Call<TerminateChild>("x").Wait(), IsOk());
  can_start = false;
  const auto children = bank.Call<ListChildren>().Wait();
  ASSERT_THAT(children, IsOkAndHolds(SizeIs(kOthers + 1)));
  for (const ChildInfo& child : *children) child.instance.Kill();
  PlayUntil(*system_, [&] {
    const absl::StatusOr<ChildCounts> counts =
        bank.Call<CountChildren>().Wait();
    return counts.ok() && counts->active == 0;
  });
  auto deleted = bank.Call<DeleteChild>("x").Start();
  auto deleted_again = bank.Call<DeleteChild>("x").Start();
  auto terminated = bank.Call<TerminateChild>("x").Start();
  auto restarted = bank.Call<RestartChild>("x").Start();
  auto counted = bank.Call<CountChildren>().Start();
  can_start = true;
  auto started = bank.Call<StartChild>(WorkerNamed("x")).Start();
  EXPECT_THAT(std::move(deleted).Wait(), IsOk());
  for (const absl::Status& status :
       {std::move(deleted_again).Wait(), std::move(terminated).Wait(),
        std::move(restarted).Wait().status()}) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                                 HasSubstr("'bank' has no child 'x'")));
  }
  const absl::StatusOr<ChildCounts> counts = std::move(counted).Wait();
  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->specs, size_t{kOthers});
  ASSERT_THAT(std::move(started).Wait(), IsOk());
  EXPECT_EQ(StatusOf(bank, "x"), ChildStatus::kRunning);
  EXPECT_THAT(bank.Call<ListChildren>().Wait(),
              IsOkAndHolds(SizeIs(kOthers + 1)));
  EXPECT_THAT(bank.StopAndWait(), IsOk());
}

TEST_P(AdminCallsTest, ListsAndCountsInOrder) {
  Supervisor::Spec tellers;
  Supervisor::Spec spec{.name = "bank"};
  spec.children.push_back(WorkerNamed("a", {.restart = kTransient}));
  spec.Add({.id = "tellers"}, std::move(tellers));
  const SupervisorRef bank = Start(std::move(spec));
  ASSERT_THAT(bank.Call<StartChild>(WorkerNamed("b")).Wait(), IsOk());
  ASSERT_THAT(bank.Call<TerminateChild>("b").Wait(), IsOk());
  const absl::StatusOr<std::vector<ChildInfo>> list =
      bank.Call<ListChildren>().Wait();
  ASSERT_THAT(list, IsOkAndHolds(SizeIs(3)));
  EXPECT_EQ((*list)[0].options.id, "a");
  EXPECT_EQ((*list)[0].options.restart, kTransient);
  EXPECT_EQ((*list)[0].status, ChildStatus::kRunning);
  EXPECT_THAT((*list)[0].class_name, HasSubstr("Worker"));
  EXPECT_EQ((*list)[1].options.kind, kSupervisor);
  EXPECT_EQ((*list)[2].status, ChildStatus::kIdle);
  const absl::StatusOr<ChildCounts> counts = bank.Call<CountChildren>().Wait();
  ASSERT_THAT(counts, IsOk());
  EXPECT_EQ(counts->specs, 3u);
  EXPECT_EQ(counts->active, 2u);
  EXPECT_EQ(counts->supervisors, 1u);
  EXPECT_EQ(counts->workers, 2u);
}

TEST_P(AdminCallsTest, StrategyIsReplacedAtRunTime) {
  Supervisor::Spec spec{.name = "bank"};
  const auto a = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  spec.Add<Worker>({.id = "b"}, std::ref(journal_), "b");
  const SupervisorRef bank = Start(std::move(spec));
  EXPECT_THAT(
      bank.Call<SetStrategy>(kOneForAll, Intensity{.restarts = 5}).Wait(),
      IsOk());
  journal_.Clear();
  a.Send<Hurt>(absl::DataLossError("torn"));
  PlayUntil(*system_, [&] { return journal_.entries().size() == 4; });
  EXPECT_THAT(journal_.entries(), ElementsAre("-a", "-b", "+a", "+b"));
  EXPECT_THAT(bank.Call<SetStrategy>(kDynamic, Intensity()).Wait(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("cannot become dynamic")));
  EXPECT_THAT(
      bank.Call<SetStrategy>(kOneForOne, Intensity{.restarts = -1}).Wait(),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
}

// -- how children are ended

// Takes `time_to_stop` to stop, and waits until `together` of its kind do.
class Stubborn : public Actor<Ask> {
 public:
  Stubborn(Journal& journal, absl::Duration time_to_stop, size_t together = 1)
      : journal_(journal), time_to_stop_(time_to_stop), together_(together) {}
  ~Stubborn() { journal_.Add("gone"); }
  int Handle(Ask) { return 1; }
  Task<void> PostStop(const ExitReason&) {
    journal_.Add("stopping");
    do {
      (void)co_await Sleep(time_to_stop_);
    } while (journal_.CountOf("stopping") < together_);
    journal_.Add("stopped");
  }

 private:
  Journal& journal_;
  const absl::Duration time_to_stop_;
  const size_t together_;
};

TEST_P(AdminCallsTest, ChildHasItsTimeToStop) {
  Supervisor::Spec spec;
  spec.Add<Stubborn>({.id = "a", .shutdown = Shutdown::Infinite()},
                     std::ref(journal_), absl::Milliseconds(5));
  const SupervisorRef bank = Start(std::move(spec));
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_THAT(journal_.entries(), ElementsAre("stopping", "stopped", "gone"));
}

TEST_P(AdminCallsTest, ChildIsKilledWhenItsTimeIsOver) {
  Supervisor::Spec spec;
  spec.Add<Stubborn>(
      {.id = "a", .shutdown = Shutdown::Within(absl::Milliseconds(2))},
      std::ref(journal_), absl::Seconds(1000));
  spec.Add<Stubborn>({.id = "b", .shutdown = Shutdown::Brutal()},
                     std::ref(journal_), absl::Seconds(1000));
  const SupervisorRef bank = Start(std::move(spec));
  // By hand, while it runs, and in its end.
  EXPECT_THAT(bank.Call<TerminateChild>("a").Wait(), IsOk());
  EXPECT_THAT(bank.Call<RestartChild>("a").Wait(), IsOk());
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_EQ(journal_.CountOf("gone"), 3u);
  EXPECT_EQ(journal_.CountOf("stopped"), 0u);
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_P(AdminCallsTest, StopDuringASlowStartEndsIt) {
  Supervisor::Spec spec;
  spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  const SupervisorRef bank = Start(std::move(spec));
  // A child that never starts.
  class Never : public Actor<Ask> {
   public:
    Task<absl::Status> PreStart() {
      (void)co_await Sleep(absl::InfiniteDuration());
      co_return absl::OkStatus();
    }
    int Handle(Ask) { return 1; }
  };
  auto starting =
      bank.Call<StartChild>(ChildSpec::Of<Never>({.id = "never",
                                                  .shutdown = Shutdown::Within(
                                                      absl::Milliseconds(1))}))
          .Start();
  PlayUntil(*system_,
            [&] { return bank.Call<CountChildren>().Wait()->specs == 2; });
  EXPECT_EQ(StatusOf(bank, "never"), ChildStatus::kStarting);
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_FALSE(std::move(starting).Wait().ok());
  EXPECT_TRUE(system_->AwaitNoActors());
}

// -- dynamic

TEST_P(AdminCallsTest, DynamicChildrenNeedNoId) {
  const SupervisorRef pool = Start(
      {.name = "pool", .strategy = kDynamic, .intensity = {.restarts = 100}});
  const AnyActorRef a =
      pool.Call<StartChild>(WorkerNamed("", {.restart = kTemporary}))
          .Wait()
          .value();
  const AnyActorRef b = pool.Call<StartChild>(WorkerNamed("")).Wait().value();
  EXPECT_EQ(pool.Call<CountChildren>().Wait()->active, 2u);
  // The one is forgotten, the other comes back.
  a.Kill();
  b.Kill();
  PlayUntil(*system_, [&] {
    const auto counts = pool.Call<CountChildren>().Wait();
    return counts->specs == 1 && counts->active == 1 &&
           journal_.CountOf("+nameless") == 3;
  });
  const AnyActorRef again = (*pool.Call<ListChildren>().Wait())[0].instance;
  EXPECT_THAT(
      pool.Call<RestartChild>(again).Wait(),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("dynamic")));
  EXPECT_THAT(pool.Call<TerminateChild>(again).Wait(), IsOk());
  EXPECT_EQ(pool.Call<CountChildren>().Wait()->specs, 0u);
  EXPECT_THAT(pool.Call<TerminateChild>(b).Wait(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(b.ToString())));
}

TEST_P(AdminCallsTest, DynamicChildrenStopAtOnce) {
  std::atomic<int> reports{0};
  const Subscription subscription = system_->Subscribe<SupervisionReport>(
      [&](const SupervisionReport&) { ++reports; });
  const SupervisorRef pool = Start({.name = "pool", .strategy = kDynamic});
  constexpr size_t kChildren = 20;
  for (size_t i = 0; i < kChildren; ++i) {
    const ChildOptions options = {
        .id = absl::StrCat(i), .shutdown = Shutdown::Within(absl::Minutes(1))};
    ASSERT_THAT(pool.Call<StartChild>(ChildSpec::Of<Stubborn>(
                                          options, std::ref(journal_),
                                          absl::Milliseconds(5), kChildren))
                    .Wait(),
                IsOk());
  }
  // None stops before all have begun to.
  EXPECT_THAT(pool.StopAndWait(), IsOk());
  EXPECT_EQ(journal_.CountOf("stopped"), kChildren);
  EXPECT_EQ(reports, 0);
}

// -- what it tells

TEST_P(AdminCallsTest, EachFailureIsOneReport) {
  absl::Mutex mu;
  std::vector<SupervisionReport> reports;
  const Subscription subscription = system_->Subscribe<SupervisionReport>(
      [&](const SupervisionReport& report) {
        absl::MutexLock lock(&mu);
        reports.push_back(report);
      });
  Supervisor::Spec tellers{.intensity = {.restarts = 1}};
  const auto a = tellers.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  Supervisor::Spec spec{.name = "bank"};
  spec.Add({.id = "tellers"}, std::move(tellers));
  Start(std::move(spec));
  const AnyActorRef first = a.ref();
  a.Send<Hurt>(absl::DataLossError("torn"));
  PlayUntil(*system_, [&] { return !a.ref().IsNull() && a.ref() != first; });
  a.Send<Hurt>(absl::DataLossError("worn"));
  PlayUntil(*system_, [&] {
    absl::MutexLock lock(&mu);
    return reports.size() == 3;
  });
  absl::MutexLock lock(&mu);
  using Decision = SupervisionReport::Decision;
  EXPECT_EQ(reports[0].supervisor, "bank/tellers");
  EXPECT_EQ(reports[0].child, "a");
  EXPECT_EQ(reports[0].instance, first.id());
  EXPECT_THAT(reports[0].reason.status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("torn")));
  EXPECT_THAT(std::string(reports[0].reason.message_type()), EndsWith("Hurt"));
  EXPECT_THAT(reports[0].ToString(), HasSubstr("Hurt; it is restarted"));
  EXPECT_EQ(reports[0].decision, Decision::kRestart);
  EXPECT_EQ(reports[0].restarts, 0u);
  EXPECT_EQ(reports[1].decision, Decision::kGiveUp);
  EXPECT_EQ(reports[1].restarts, 1u);
  EXPECT_EQ(reports[2].supervisor, "bank");
  EXPECT_EQ(reports[2].child, "tellers");
  EXPECT_EQ(reports[2].decision, Decision::kRestart);
  EXPECT_THAT(reports[2].ToString(),
              AllOf(HasSubstr("supervisor 'bank': child 'tellers'"),
                    HasSubstr("'bank/tellers' gave up"), HasSubstr("worn")));
}

TEST_P(AdminCallsTest, TreeShowsAllLevels) {
  Supervisor::Spec tellers{.strategy = kOneForAll};
  const auto a = tellers.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  Supervisor::Spec spec{.name = "bank", .strategy = kRestForOne};
  spec.Add({.id = "tellers"}, std::move(tellers));
  spec.Add<Worker>({.id = "b"}, std::ref(journal_), "b");
  const SupervisorRef bank = Start(std::move(spec));
  const AnyActorRef first = a.ref();
  a.Send<Hurt>(absl::DataLossError("torn"));
  PlayUntil(*system_, [&] { return !a.ref().IsNull() && a.ref() != first; });
  const absl::StatusOr<SupervisionTree> tree = bank.Call<GetTree>().Wait();
  ASSERT_THAT(tree, IsOk());
  EXPECT_EQ(tree->id, "bank");
  ASSERT_THAT(tree->children, SizeIs(2));
  EXPECT_EQ(tree->children[0].id, "tellers");
  ASSERT_THAT(tree->children[0].children, SizeIs(1));
  EXPECT_EQ(tree->children[0].children[0].id, "a");
  EXPECT_EQ(tree->children[0].children[0].restarts, 1u);
  EXPECT_EQ(tree->children[0].children[0].status, ChildStatus::kRunning);
  EXPECT_EQ(tree->children[1].id, "b");
}

// Supervises nothing, and does not answer when asked for its tree.
class MuteSupervisor : public Actor<SupervisorApi> {
 public:
  void Handle(StartChild, ReplyTo<AnyActorRef>) {}
  void Handle(const TerminateChild&, ReplyTo<absl::Status>) {}
  void Handle(const RestartChild&, ReplyTo<AnyActorRef>) {}
  void Handle(const DeleteChild&, ReplyTo<absl::Status>) {}
  void Handle(const ListChildren&, ReplyTo<std::vector<ChildInfo>>) {}
  void Handle(const GetChild&, ReplyTo<ChildInfo>) {}
  void Handle(const CountChildren&, ReplyTo<ChildCounts>) {}
  void Handle(const SetStrategy&, ReplyTo<absl::Status>) {}
  void Handle(GetTree, ReplyTo<SupervisionTree> reply) {
    reply_ = std::move(reply);
  }

 private:
  ReplyTo<SupervisionTree> reply_;
};

Supervisor::Spec BankOfMutes() {
  Supervisor::Spec spec{.name = "bank"};
  spec.Add<MuteSupervisor>({.id = "mute", .kind = kSupervisor});
  return spec;
}

TEST_P(AdminCallsTest, TreeIsShownAsFarAsItIsKnown) {
  const bool on_threads = GetParam() == internal::kThreads;
  const SupervisorRef bank = Start(BankOfMutes());
  // There it is looked for during 5 s, and may be late by far more.
  const absl::StatusOr<SupervisionTree> tree =
      bank.Call<GetTree>()
          .Within(on_threads ? absl::Minutes(1) : absl::Seconds(1))
          .Wait();
  ASSERT_THAT(tree, IsOk());
  ASSERT_THAT(tree->children, SizeIs(1));
  EXPECT_EQ(tree->children[0].id, "mute");
}

// Who waits for ever does not keep an actor that looks for ever.
TEST_P(AdminCallsTest, TreeIsShownInTimeToWhoHasMore) {
  if (GetParam() == internal::kThreads) GTEST_SKIP() << "takes its 5 s there";
  const SupervisorRef bank = Start(BankOfMutes());
  const absl::StatusOr<SupervisionTree> tree =
      bank.Call<GetTree>().Within(absl::InfiniteDuration()).Wait();
  ASSERT_THAT(tree, IsOk());
  EXPECT_THAT(tree->children, SizeIs(1));
}

// §29: a request that takes long does not hold up the end.
TEST_P(AdminCallsTest, TreeThatIsAwaitedDoesNotDelayTheEnd) {
  const SupervisorRef bank = Start(BankOfMutes());
  const Clock& clock = system_->executor().clock();
  auto tree = bank.Call<GetTree>().Within(absl::Hours(1)).Start();
  EXPECT_THAT(bank.Call<CountChildren>().Wait(), IsOk());
  const MonotonicTime before = clock.Now();
  EXPECT_THAT(bank.StopAndWait(), IsOk());
  EXPECT_LT(clock.Now() - before, absl::Minutes(1));
}

}  // namespace
}  // namespace troupe
