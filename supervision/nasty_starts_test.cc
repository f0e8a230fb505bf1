// Starts of supervised children that fail in every way there is (§6, §29):
// functions that lie, actors that end too early.
#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/supervision_testing.h"
#include "troupe/supervision/strategy.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Ask;
using internal::Journal;
using internal::Late;
using internal::Leave;
using internal::PlayUntil;
using internal::Reports;
using internal::Worker;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class NastyStartsTest : public internal::SystemTest {
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

INSTANTIATE_TEST_SUITE_P(Executors, NastyStartsTest, internal::AllExecutors());

// -- starts that lie

// Counts how many of them live at once.
class Census {
 public:
  void Enter() {
    const int now = ++alive_;
    int most = most_;
    while (most < now && !most_.compare_exchange_weak(most, now)) {
    }
    ++made_;
  }
  void Exit() { --alive_; }
  int most() const { return most_; }
  int made() const { return made_; }

 private:
  std::atomic<int> alive_{0};
  std::atomic<int> most_{0};
  std::atomic<int> made_{0};
};

// Takes its time to start, if asked to, and counts itself.
class Citizen : public Actor<Ask, Leave> {
 public:
  explicit Citizen(Census& census) : census_(census) { census_.Enter(); }
  ~Citizen() { census_.Exit(); }
  int Handle(Ask) { return 1; }
  void Handle(Leave) { StopSelf(); }

 private:
  Census& census_;
};

class SlowCitizen : public Citizen {
 public:
  using Citizen::Citizen;
  Task<void> PreStart() { (void)co_await Sleep(absl::Milliseconds(1)); }
};

template <typename A>
struct TypeOf {
  using type = A;
};

// What it spawned is no instance, and the next one does not run beside it.
TEST_P(NastyStartsTest, StartThatFailsWithWhatItSpawnedLeavesNothing) {
  const auto check = [this]<typename A>(TypeOf<A>) {
    Census census;
    std::atomic<int> lies{0};
    Supervisor::Spec spec{.intensity = {.restarts = 10}};
    const auto child = spec.Add(
        {.id = "a"}, [&](StartContext& start) -> absl::StatusOr<ActorRef<Ask>> {
          const auto ref = start.Spawn<A>({}, std::ref(census));
          if (lies == 0) return ref;
          if (--lies % 2 == 0) throw std::runtime_error("changed its mind");
          return absl::UnavailableError("changed its mind");
        });
    const SupervisorRef supervisor = Start(std::move(spec));
    lies = 4;
    child.ref().Kill();
    EXPECT_THAT(child.template Call<Ask>().Wait(), IsOkAndHolds(1));
    EXPECT_EQ(lies, 0);
    // One that is killed in time is not even constructed.
    EXPECT_GE(census.made(), 2);
    EXPECT_EQ(census.most(), 1);
    // Stopped in the midst of it.
    lies = 1'000;
    child.ref().Kill();
    PlayUntil(*system_, [&] { return lies < 1'000; });
    EXPECT_THAT(supervisor.StopAndWait(), IsOk());
    EXPECT_TRUE(system_->AwaitNoActors());
    EXPECT_EQ(census.most(), 1);
  };
  check(TypeOf<Citizen>());
  check(TypeOf<SlowCitizen>());
}

// §34: as the first start, it is the supervisor's.
TEST_P(NastyStartsTest, FirstStartThatFailsWithWhatItSpawnedFailsAll) {
  Census census;
  Supervisor::Spec spec;
  spec.Add({.id = "a"},
           [&](StartContext& start) -> absl::StatusOr<Citizen::Ref> {
             (void)start.Spawn<Citizen>(std::ref(census));
             return absl::UnavailableError("changed its mind");
           });
  EXPECT_THAT(Supervisor::Start(*system_, std::move(spec)),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("child 'a'"), HasSubstr("its mind"))));
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_EQ(census.made(), 1);
}

TEST_P(NastyStartsTest, StartThatReturnsAnEndedActorCountsAsCrashes) {
  internal::Endings endings(*system_);
  Census census;
  std::atomic<bool> kills{false};
  Supervisor::Spec spec{.intensity = {.restarts = 3}};
  const auto child = spec.Add({.id = "a"}, [&](StartContext& start) {
    auto ref = start.Spawn<Citizen>(std::ref(census));
    if (kills) ref->Kill();
    return ref;
  });
  const SupervisorRef supervisor = Start(std::move(spec));
  PlayUntil(*system_, [&] { return !child.ref().IsNull(); });
  kills = true;
  child.ref().Kill();
  EXPECT_THAT(endings.Await(supervisor).status(),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("4 failures")));
  EXPECT_TRUE(system_->AwaitNoActors());
  EXPECT_EQ(census.made(), 4);
  EXPECT_EQ(census.most(), 1);
  EXPECT_THAT(reports_.Get(), SizeIs(4));
}

// Fails in its first turn.
class StillBorn : public Actor<Ask> {
 public:
  explicit StillBorn(std::atomic<int>& births) { ++births; }
  absl::Status PostStart() { return absl::InternalError("still born"); }
  int Handle(Ask) { return 1; }
};

// §29: escalation bounds it all by the product of what each level allows.
TEST_P(NastyStartsTest, CrashLoopUnderFiveLevelsEnds) {
  constexpr int kLevels = 5;
  constexpr int kRestarts = 2;
  internal::Endings endings(*system_);
  std::atomic<int> births{0};
  const auto level = [] {
    return Supervisor::Spec{
        .name = "top",
        .intensity = {.restarts = kRestarts, .within = absl::Hours(1)}};
  };
  Supervisor::Spec spec = level();
  spec.Add<StillBorn>({.id = "worker"}, std::ref(births));
  for (int i = 1; i < kLevels; ++i) {
    Supervisor::Spec above = level();
    above.Add({.id = absl::StrCat("level-", i)}, std::move(spec));
    spec = std::move(above);
  }
  const absl::StatusOr<SupervisorRef> top =
      Supervisor::Start(*system_, std::move(spec));
  if (top.ok()) {
    EXPECT_THAT(endings.Await(*top).status(),
                StatusIs(absl::StatusCode::kInternal,
                         AllOf(HasSubstr("supervisor 'top' gave up"),
                               HasSubstr("still born"))));
  }
  EXPECT_TRUE(system_->AwaitNoActors());
  constexpr int kProduct = 3 * 3 * 3 * 3 * 3;
  EXPECT_LE(births, kProduct);
  EXPECT_GE(births, kRestarts + 1);
  EXPECT_TRUE(!top.ok() || births == kProduct) << births;
}

// -- starts that take their time

TEST_P(NastyStartsTest, DeathBeforeTheStartReturnedIsAFailedStart) {
  const SupervisorRef supervisor = Start({});
  EXPECT_THAT(
      supervisor
          .Call<StartChild>(ChildSpec::Of<Late>(
              {.id = "a"}, [](const AnyActorRef& self) { self.Kill(); },
              absl::InfiniteDuration(), absl::OkStatus()))
          .Wait(),
      StatusIs(absl::StatusCode::kAborted,
               AllOf(HasSubstr("starting child 'a'"), HasSubstr("killed"))));
  EXPECT_EQ(supervisor.Call<CountChildren>().Wait()->specs, 0u);
  Finish(supervisor);
}

TEST_P(NastyStartsTest, AnswerOfAStartNamesTheInstanceEvenIfThatHasEnded) {
  const SupervisorRef supervisor = Start({});
  for (int i = 0; i < 10; ++i) {
    const absl::StatusOr<AnyActorRef> child =
        supervisor
            .Call<StartChild>(ChildSpec::Of<Late>(
                {.id = "a", .restart = kTemporary}, [](const AnyActorRef&) {},
                absl::ZeroDuration(), absl::InternalError("at once")))
            .Wait();
    ASSERT_THAT(child, IsOk());
    EXPECT_FALSE(child->IsNull());
    PlayUntil(*system_, [&] {
      return supervisor.Call<CountChildren>().Wait()->specs == 0;
    });
  }
  Finish(supervisor);
}

// The supervisor hears of it between its handlers.
TEST_P(NastyStartsTest, GivesUpWhenSlowStartsFailTooOften) {
  internal::Endings endings(*system_);
  std::atomic<bool> dies{false};
  Supervisor::Spec spec{.name = "bank", .intensity = {.restarts = 3}};
  const auto child = spec.Add<Late>(
      {.id = "a"},
      [&](const AnyActorRef& self) {
        if (dies) self.Kill();
      },
      absl::ZeroDuration(), absl::OkStatus());
  const SupervisorRef supervisor = Start(std::move(spec));
  dies = true;
  child.ref().Kill();
  EXPECT_THAT(endings.Await(supervisor).status(),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("'bank' gave up: 4 failures")));
  EXPECT_TRUE(system_->AwaitNoActors());
}

// Its sibling, the first, dies while the second one starts.
TEST_P(NastyStartsTest, DeathOfASiblingDuringTheFirstStartIsActedOn) {
  Supervisor::Spec spec{.strategy = kRestForOne};
  const auto a = spec.Add<Worker>({.id = "a"}, std::ref(journal_), "a");
  spec.Add<Late>(
      {.id = "b"},
      [&](const AnyActorRef&) {
        journal_.Add("b starts");
        if (journal_.CountOf("b starts") == 1) a.ref().Kill();
      },
      absl::Milliseconds(1), absl::OkStatus());
  const SupervisorRef supervisor = Start(std::move(spec));
  PlayUntil(*system_, [&] { return journal_.CountOf("b starts") == 2; });
  EXPECT_THAT(journal_.entries(),
              ElementsAre("+a", "b starts", "-a", "+a", "b starts"));
  EXPECT_THAT(a.Call<Ask>().Wait(), IsOkAndHolds(1));
  Finish(supervisor);
}

// Its delay is longer than the rest of the start.
TEST_P(NastyStartsTest, DelayedRestartOutlastsTheFirstStart) {
  Supervisor::Spec spec;
  const auto a = spec.Add<Worker>(
      {.id = "a", .backoff = RestartBackoff{.initial = absl::Milliseconds(5)}},
      std::ref(journal_), "a");
  spec.Add<Late>(
      {.id = "b"}, [a](const AnyActorRef&) { a.ref().Kill(); },
      absl::Milliseconds(1), absl::OkStatus());
  const SupervisorRef supervisor = Start(std::move(spec));
  PlayUntil(*system_, [&] { return journal_.CountOf("+a") == 2; });
  Finish(supervisor);
}

}  // namespace
}  // namespace troupe
