// Supervisors under what goes wrong (§7, §12, §27, §29): hooks that throw,
// children that do not end, clocks that jump.
#include <atomic>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervision_testing.h"
#include "troupe/supervision/start_context.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Ask;
using internal::Hurt;
using internal::Journal;
using internal::Late;
using internal::Leave;
using internal::PlayUntil;
using internal::Reports;
using internal::Throw;
using internal::Worker;
using internal::WorkerApi;
using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;
using Decision = SupervisionReport::Decision;

class NastyCasesTest : public internal::SystemTest {
 protected:
  SupervisorRef Start(Supervisor::Spec spec) {
    return Supervisor::Start(*system_, std::move(spec)).value();
  }
  // Ends it, and sees that nothing is left.
  void Finish(const SupervisorRef& supervisor) {
    EXPECT_THAT(supervisor.StopAndWait(), IsOk());
    EXPECT_TRUE(system_->AwaitNoActors());
  }

  Journal journal_;
  std::unique_ptr<ActorSystem> system_ = MakeSystem();
  Reports reports_{*system_};
};

INSTANTIATE_TEST_SUITE_P(Executors, NastyCasesTest, internal::AllExecutors());

// -- hooks that throw

enum class Where {
  kPreStart,
  kPostStart,
  kPostStop,
  kOnChild,
  kTakeState,
  kRestoreState,
  kHandler,
};
enum class What { kStd, kNonStd, kBadAlloc, kCopyThrows };

struct CopyThrows {
  CopyThrows() = default;
  CopyThrows(const CopyThrows&) { throw std::logic_error("copied"); }
};

// Where and how often a Thrower throws.
struct Ills {
  Where where;
  What what;
  std::atomic<int> left{0};
};

// Throws wherever it is told to.
class Thrower : public Actor<WorkerApi> {
 public:
  explicit Thrower(Ills& ills) : ills_(ills) {}

  void PreStart() { At(Where::kPreStart); }
  void PostStart() { At(Where::kPostStart); }
  void PostStop(const ExitReason&) { At(Where::kPostStop); }
  void OnChild(const ChildEvent&) { At(Where::kOnChild); }
  int TakeState() && {
    At(Where::kTakeState);
    return asked_;
  }
  void RestoreState(int) { At(Where::kRestoreState); }
  absl::Status Handle(Hurt m) { return m.how; }
  void Handle(Throw) {
    At(Where::kHandler);
    if (ills_.where != Where::kOnChild) return;
    // Its start is an event as well.
    ASSERT_THAT(Spawn<Thrower>(std::ref(ills_)), IsOk());
  }
  void Handle(Leave) { StopSelf(); }
  void Handle(internal::Note) {}
  int Handle(Ask) { return ++asked_; }

 private:
  void At(Where where) {
    if (where != ills_.where || ills_.left == 0) return;
    --ills_.left;
    switch (ills_.what) {
      case What::kStd:
        throw std::runtime_error("ill");
      case What::kNonStd:
        throw 3;
      case What::kBadAlloc:
        throw std::bad_alloc();
      case What::kCopyThrows:
        throw CopyThrows();
    }
  }

  Ills& ills_;
  int asked_ = 0;
};

TEST_P(NastyCasesTest, WhateverAnyHookThrowsIsAFailureAndIsSurvived) {
  for (const Where where :
       {Where::kPreStart, Where::kPostStart, Where::kPostStop, Where::kOnChild,
        Where::kTakeState, Where::kRestoreState, Where::kHandler}) {
    for (const What what :
         {What::kStd, What::kNonStd, What::kBadAlloc, What::kCopyThrows}) {
      SCOPED_TRACE(absl::StrCat(static_cast<int>(where), " throws ",
                                static_cast<int>(what)));
      Ills ills{.where = where, .what = what};
      // Where a graceful end is made a failure, only that brings it back.
      const bool fails_at_end =
          where == Where::kPostStop || where == Where::kTakeState;
      Supervisor::Spec spec{.intensity = {.restarts = 10}};
      const auto child = spec.Add<Thrower>(
          {.id = "a", .restart = fails_at_end ? kTransient : kPermanent},
          std::ref(ills));
      const SupervisorRef supervisor = Start(std::move(spec));
      // Its hooks of the start have run, and throw no more.
      PlayUntil(*system_, [&] { return child.Call<Ask>().Wait().ok(); });
      reports_.Clear();
      const AnyActorRef before = child.ref();
      ills.left = 1;
      switch (where) {
        case Where::kPreStart:
        case Where::kPostStart:
          before.Kill();
          break;
        case Where::kPostStop:
        case Where::kTakeState:
        case Where::kRestoreState:
          before.Stop();
          break;
        case Where::kOnChild:
        case Where::kHandler:
          child.ref().Send<Throw>();
          break;
      }
      PlayUntil(*system_, [&] {
        const AnyActorRef now = child.ref();
        return ills.left == 0 && !now.IsNull() && now != before;
      });
      // What is sent now may reach an instance that is about to fail.
      PlayUntil(*system_, [&] { return child.Call<Ask>().Wait().ok(); });
      Finish(supervisor);
      const std::vector<SupervisionReport> reports = reports_.Get();
      const bool fails_after_end = where == Where::kPreStart ||
                                   where == Where::kPostStart ||
                                   where == Where::kRestoreState;
      ASSERT_THAT(reports, SizeIs(fails_after_end ? 2 : 1));
      EXPECT_THAT(reports.back().reason.status(),
                  StatusIs(absl::StatusCode::kUnknown, HasSubstr("exception")));
      EXPECT_THAT(reports, Each(Field(&SupervisionReport::decision,
                                      Decision::kRestart)));
    }
  }
}

// Of all levels: what escalates, and what is reported.
TEST_P(NastyCasesTest, LongReasonKeepsBothItsEndsAndNoMore) {
  internal::Endings endings(*system_);
  Supervisor::Spec below{.intensity = {.restarts = 0}};
  const auto a = below.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  Supervisor::Spec spec{.name = "bank", .intensity = {.restarts = 0}};
  spec.Add({.id = "tellers"}, std::move(below));
  const SupervisorRef supervisor = Start(std::move(spec));
  a.Send<Hurt>(absl::DataLossError(
      absl::StrCat("first", std::string(1'000'000, '.'), "last")));
  const ExitReason reason = endings.Await(supervisor);
  EXPECT_LE(reason.status().message().size(), 512u);
  EXPECT_THAT(reason.status().message(),
              AllOf(HasSubstr("'bank' gave up"), HasSubstr("last")));
  const std::vector<SupervisionReport> reports = reports_.Get();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_THAT(reports[0].reason.status().message(),
              AllOf(HasSubstr("first"), HasSubstr("last")));
  for (const SupervisionReport& report : reports) {
    EXPECT_LT(report.ToString().size(), 1024u);
  }
  EXPECT_TRUE(system_->AwaitNoActors());
}

// -- the end

// Takes a while to stop: until `is_over`, after it has done what `stops` does.
class SlowToStop : public Actor<Ask> {
 public:
  SlowToStop(std::function<void()> stops, std::function<bool()> is_over)
      : stops_(std::move(stops)), is_over_(std::move(is_over)) {}
  Task<void> PostStop(const ExitReason&) {
    stops_();
    do {
      (void)co_await Sleep(absl::Milliseconds(2));
    } while (!is_over_());
  }
  int Handle(Ask) { return 1; }

 private:
  const std::function<void()> stops_;
  const std::function<bool()> is_over_;
};

TEST_P(NastyCasesTest, ChildMayStopItselfDuringTheEndOfItsSupervisor) {
  Supervisor::Spec spec;
  const auto a = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  spec.Add<SlowToStop>(
      {.id = "b"}, [&] { a.ref().Send<Leave>(); },
      [&] { return journal_.CountOf("-a") == 1; });
  const SupervisorRef supervisor = Start(std::move(spec));
  Finish(supervisor);
  EXPECT_THAT(reports_.Get(), IsEmpty());
}

// With the reason that it had, though others were waited for then.
TEST_P(NastyCasesTest, FailureDuringTheEndOfTheSupervisorIsReportedOnce) {
  Supervisor::Spec spec;
  const auto a = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  spec.Add<SlowToStop>(
      {.id = "b"}, [&] { a.ref().Send<Hurt>(absl::DataLossError("torn")); },
      [&] { return journal_.CountOf("-a") == 1; });
  const SupervisorRef supervisor = Start(std::move(spec));
  Finish(supervisor);
  const std::vector<SupervisionReport> reports = reports_.Get();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_THAT(reports[0].reason.status(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("torn")));
  EXPECT_EQ(reports[0].decision, Decision::kNothing);
}

TEST_P(NastyCasesTest, ChildrenThatStopAtOnceAreNoFailures) {
  const SupervisorRef pool = Start({.strategy = kDynamic});
  for (int i = 0; i < 10; ++i) {
    ASSERT_THAT(pool.Call<StartChild>(ChildSpec::Of<SlowToStop>(
                                          {}, [] {}, [] { return true; }))
                    .Wait(),
                IsOk());
  }
  Finish(pool);
  EXPECT_THAT(reports_.Get(), IsEmpty());
}

TEST_P(NastyCasesTest, KillDuringARestartLeavesNothing) {
  internal::Handed<bool> restarts;
  std::atomic<bool> holds{false};
  Supervisor::Spec spec{.strategy = kOneForAll, .intensity = {.restarts = 10}};
  const auto a = spec.Add<Late>(
      {.id = "a"},
      [&](const AnyActorRef&) {
        if (holds) restarts.Put(true);
      },
      absl::Milliseconds(1), absl::OkStatus());
  const auto b = spec.Add<Worker>({.id = "b"}, std::ref(journal_), "b");
  const SupervisorRef supervisor = Start(std::move(spec));
  PlayUntil(*system_, [&] { return !b.ref().IsNull(); });
  holds = true;
  b.ref().Kill();
  restarts.Await(*system_);
  EXPECT_THAT(supervisor.KillAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_TRUE(a.ref().IsNull());
  EXPECT_TRUE(b.ref().IsNull());
  EXPECT_THAT(reports_.Get(), SizeIs(1));  // Of b.
  EXPECT_THAT(b.Call<Ask>().Wait(), StatusIs(absl::StatusCode::kNotFound));
}

// §16
TEST_P(NastyCasesTest, SystemEndsDuringAStartThatNeverDoes) {
  internal::Handed<bool> starts;
  Supervisor::Spec inner;
  inner.Add<Late>(
      {.id = "never"}, [&](const AnyActorRef&) { starts.Put(true); },
      absl::InfiniteDuration(), absl::OkStatus());
  Supervisor::Spec spec;
  spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  spec.Add({.id = "inner"}, std::move(inner));
  ASSERT_THAT(system_->SpawnInstant<Supervisor>(std::move(spec)), IsOk());
  starts.Await(*system_);
  (void)system_->Shutdown(absl::Milliseconds(5));
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_EQ(journal_.CountOf("-a"), 1u);
}

// §4: the rest of the tree is not touched.
TEST_P(NastyCasesTest, StoppedAddressCutsOffItsUsersOnly) {
  Supervisor::Spec spec{.intensity = {.restarts = 10}};
  const auto a = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  const SupervisorRef supervisor = Start(std::move(spec));
  const AnyActorRef before = a.ref();
  EXPECT_THAT(a.address().KillAndWait(), IsOk());
  EXPECT_THAT(a.Call<Ask>().Wait(), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(a.ref().Call<Ask>().Wait(), IsOkAndHolds(1));
  before.Kill();
  PlayUntil(*system_, [&] { return !a.ref().IsNull() && a.ref() != before; });
  EXPECT_THAT(a.ref().Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(supervisor.Call<TerminateChild>("a").Wait(), IsOk());
  EXPECT_THAT(supervisor.Call<DeleteChild>("a").Wait(), IsOk());
  Finish(supervisor);
}

// -- a mailbox that is always full

// A supervisor whose mailbox holds one message, which is there after each step.
class FullSupervisorTest : public ::testing::TestWithParam<OverflowPolicy> {
 protected:
  static constexpr size_t kChildren = 100;

  void TearDown() override { system_ = nullptr; }

  // Plays until the children have been started that often.
  bool PlayUntilStarted(size_t starts) {
    return executor_->RunUntil([&] { return journal_.CountOf("+a") == starts; },
                               executor_->clock().Now() + absl::Seconds(1));
  }
  void Fill() {
    if (supervisor_.IsNull() || ++filled_ > 10000) return;
    (void)supervisor_.TrySend(CountChildren());
  }

  int filled_ = 0;
  Journal journal_;
  SupervisorRef supervisor_;
  DeterministicExecutor* const executor_ =
      new DeterministicExecutor({.seed = 1, .after_step = [this] { Fill(); }});
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {});
};

INSTANTIATE_TEST_SUITE_P(Policies, FullSupervisorTest,
                         ::testing::Values(OverflowPolicy::kReject,
                                           OverflowPolicy::kDropNewest,
                                           OverflowPolicy::kDropOldest,
                                           OverflowPolicy::kAwait));

// §29: what it does beyond one turn needs no room there.
TEST_P(FullSupervisorTest, RestartsAllOfItsChildren) {
  Supervisor::Spec spec{.strategy = kOneForAll};
  for (size_t i = 0; i < kChildren; ++i) {
    spec.Add({.id = absl::StrCat(i)}, [this](StartContext& context) {
      Fill();
      return context.Spawn<Worker>(std::ref(journal_), "a");
    });
  }
  const auto victim =
      spec.Add<Worker>({.id = "victim"}, std::ref(journal_), "victim");
  supervisor_ =
      Supervisor::Start(*system_, std::move(spec),
                        {.mailbox = {.messages = 1, .policy = GetParam()}})
          .value();
  victim.ref().Kill();
  EXPECT_TRUE(PlayUntilStarted(2 * kChildren));
  EXPECT_GT(filled_, 0);
}

// -- children that do not return

struct Spin {
  using Reply = bool;
};

// Runs until it is killed, or until the test says so.
class Spinner : public Actor<Spin> {
 public:
  Spinner(absl::Notification& spins, absl::Notification* may_return)
      : spins_(spins), may_return_(may_return) {}
  bool Handle(Spin, Request& request) {
    spins_.Notify();
    if (may_return_ != nullptr) {
      may_return_->WaitForNotification();
    } else {
      while (!request.stop_token().stop_requested()) std::this_thread::yield();
    }
    return true;
  }

 private:
  absl::Notification& spins_;
  absl::Notification* const may_return_;
};

// On threads only: the deterministic executor has but one.
class StuckChildTest : public ::testing::Test {
 protected:
  void Start(absl::Notification* may_return) {
    Supervisor::Spec spec{.intensity = {.restarts = 10}};
    const ChildOptions options = {
        .id = "stuck",
        .restart = kTemporary,
        .shutdown = Shutdown::Within(absl::Milliseconds(1))};
    worker_ = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
    stuck_ = spec.Add<Spinner>(options, std::ref(spins_), may_return);
    supervisor_ = Supervisor::Start(*system_, std::move(spec)).value();
    call_ = stuck_.Call<Spin>().Start();
    spins_.WaitForNotification();
  }

  Journal journal_;
  absl::Notification spins_;
  ChildRef<WorkerApi> worker_;
  ChildRef<Spin> stuck_;
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::Create({.workers = 2}).value();
  SupervisorRef supervisor_;
  std::optional<StartedCall<Spin>> call_;
};

// §12
TEST_F(StuckChildTest, ChildThatLooksForItsKillEndsWithItsLimit) {
  Start(nullptr);
  EXPECT_THAT(supervisor_.StopAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_F(StuckChildTest, ChildThatDoesNotReturnHoldsUpNobodyElse) {
  absl::Notification may_return;
  Start(&may_return);
  auto ending = supervisor_.Call<TerminateChild>("stuck").Start();
  PlayUntil(*system_, [&] {
    return supervisor_.Call<GetChild>("stuck").Wait()->status ==
           ChildStatus::kStopping;
  });
  const AnyActorRef before = worker_.ref();
  before.Kill();
  PlayUntil(*system_,
            [&] { return !worker_.ref().IsNull() && worker_.ref() != before; });
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
  EXPECT_FALSE(ending.is_over());
  may_return.Notify();
  EXPECT_THAT(std::move(ending).Wait(), IsOk());
  EXPECT_THAT(supervisor_.StopAndWait(), IsOk());
  EXPECT_TRUE(system_->AwaitNoActors());
}

// -- the clock

class ClockJumpTest : public ::testing::Test {
 protected:
  void Start(ChildOptions options) {
    options.id = "a";
    Supervisor::Spec spec;
    worker_ = spec.Add<Worker>(options, std::ref(journal_), "a");
    supervisor_ = Supervisor::Start(*system_, std::move(spec)).value();
  }
  void KillAndJump(absl::Duration jump) {
    worker_.ref().Kill();
    executor_->RunUntilIdle();
    executor_->RunFor(jump);
  }

  Journal journal_;
  DeterministicExecutor* const executor_ =
      new DeterministicExecutor({.seed = 1});
  std::unique_ptr<ActorSystem> system_ =
      ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {});
  ChildRef<WorkerApi> worker_;
  SupervisorRef supervisor_;
};

TEST_F(ClockJumpTest, FailuresBeforeAJumpDoNotCount) {
  Start({});
  for (int i = 0; i < 10; ++i) KillAndJump(absl::Hours(1));
  EXPECT_EQ(journal_.CountOf("+a"), 11u);
  KillAndJump(absl::Seconds(6));
  KillAndJump(absl::ZeroDuration());
  EXPECT_THAT(supervisor_.Call<CountChildren>().Wait(), IsOk());
  KillAndJump(absl::ZeroDuration());
  EXPECT_TRUE(system_->AwaitNoActors());
}

TEST_F(ClockJumpTest, RestartThatIsLongOverdueIsMadeOnce) {
  Start({.backoff = RestartBackoff{.initial = absl::Minutes(10),
                                   .max = absl::Minutes(10)}});
  KillAndJump(absl::Hours(24));
  EXPECT_EQ(journal_.CountOf("+a"), 2u);
  EXPECT_THAT(worker_.Call<Ask>().Wait(), IsOkAndHolds(1));
}

}  // namespace
}  // namespace troupe
