// Waiting in a Task for the end of another actor (§15), on threads and without.
#include "troupe/actor/ended.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/call.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/await_testing.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::Do;
using internal::Handed;
using internal::Runner;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

class EndedTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, EndedTest, internal::AllExecutors());

Do::Work AwaitEnd(AnyActorRef actor, Handed<absl::StatusOr<ExitReason>>& why,
                  absl::Duration timeout = absl::InfiniteDuration()) {
  return [=, &why](Runner&) -> Task<absl::Status> {
    why.Put(co_await Ended(actor).Within(timeout));
    co_return absl::OkStatus();
  };
}

TEST_P(EndedTest, YieldsTheReason) {
  Handed<absl::StatusOr<ExitReason>> why;
  Handed<bool> waits;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto actor = system->Spawn<Runner>().value();
  const auto runner = system->Spawn<Runner>().value();
  // The question is asked when the second actor has come to it.
  runner.Send<Do>([&](Runner&) -> Task<absl::Status> {
    waits.Put(true);
    why.Put(co_await Ended(actor));
    co_return absl::OkStatus();
  });
  waits.Await(*system);
  const absl::StatusOr<ExitReason> told =
      actor.StopAndWait(ExitReason::Shutdown());
  // On threads, the stop may have come first.
  EXPECT_THAT(why.Await(*system),
              IsOkAndHolds(::testing::AnyOf(ExitReason::Shutdown(),
                                            ExitReason::NoActor())));
  EXPECT_THAT(told, IsOkAndHolds(ExitReason::Shutdown()));
}

TEST_P(EndedTest, IsOverAtOnceForTheDead) {
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  const auto actor = system->Spawn<Runner>().value();
  EXPECT_THAT(actor.KillAndWait(), IsOk());
  for (const AnyActorRef& dead : {AnyActorRef(actor), AnyActorRef()}) {
    Handed<absl::StatusOr<ExitReason>> why;
    runner.Send<Do>(AwaitEnd(dead, why));
    EXPECT_THAT(why.Await(*system), IsOkAndHolds(ExitReason::NoActor()));
  }
}

TEST_P(EndedTest, GivingUpChangesNothing) {
  Handed<absl::StatusOr<ExitReason>> why, late;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  const auto actor = system->Spawn<Runner>().value();
  runner.Send<Do>(AwaitEnd(actor, why, absl::Milliseconds(2)));
  EXPECT_THAT(why.Await(*system),
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       HasSubstr("waiting for the end of actor #")));
  runner.Send<Do>(AwaitEnd(actor, late, absl::ZeroDuration()));
  EXPECT_THAT(late.Await(*system),
              StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("end")));
  EXPECT_THAT(actor.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
}

TEST_P(EndedTest, RefusesTheActorsOwnEnd) {
  Handed<absl::StatusOr<ExitReason>> why;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  runner.Send<Do>(AwaitEnd(runner, why));
  EXPECT_THAT(why.Await(*system),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("outlive its own end")));
  Handed<absl::StatusOr<ExitReason>> killed;
  runner.Send<Do>([&](Runner& self) -> Task<absl::Status> {
    killed.Put(co_await Ended(self.self()).ByKill());
    co_return absl::OkStatus();
  });
  EXPECT_THAT(killed.Await(*system),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("outlive its own end")));
  EXPECT_EQ(runner.status(), ActorStatus::kRunning);
}

TEST_P(EndedTest, KillDestroysTheWait) {
  Handed<absl::StatusOr<ExitReason>> why;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  const auto actor = system->Spawn<Runner>().value();
  runner.Send<Do>(AwaitEnd(actor, why));
  EXPECT_THAT(runner.KillAndWait(), IsOk());
  EXPECT_THAT(actor.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
  EXPECT_FALSE(why.IsPut());
}

// However soon it ends, and whatever becomes of the wait.
TEST_P(EndedTest, YieldsTheReasonOfTheEndThatItBrings) {
  using Change = Ended (*)(Ended);
  const std::pair<Change, ExitReason> ways[] = {
      {[](Ended ended) { return std::move(ended).ByStop(); },
       ExitReason::Normal()},
      {[](Ended ended) { return std::move(ended).ByShutdown(); },
       ExitReason::Shutdown()},
      {[](Ended ended) { return std::move(ended).ByDrain(); },
       ExitReason::Drained()},
      {[](Ended ended) { return std::move(ended).ByKill(); },
       ExitReason::Killed()},
  };
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  for (const auto& [change, reason] : ways) {
    for (const bool late : {false, true}) {
      Handed<absl::StatusOr<ExitReason>> why;
      const auto actor = system->Spawn<Runner>().value();
      const Ended wait = change(Ended(actor).Within(
          late ? absl::ZeroDuration() : absl::InfiniteDuration()));
      runner.Send<Do>([&why, wait](Runner&) -> Task<absl::Status> {
        why.Put(co_await wait);
        co_return absl::OkStatus();
      });
      if (late) {
        EXPECT_THAT(
            why.Await(*system),
            StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("end")));
      } else {
        EXPECT_THAT(why.Await(*system), IsOkAndHolds(reason));
      }
      EXPECT_THAT(actor.Wait(), IsOk());
    }
  }
}

// The wait is given up at once, but the other one is to end all the same.
TEST_P(EndedTest, AsksForTheEndWhenItsOwnRequestWasGivenUp) {
  Handed<bool> begun;
  Handed<absl::StatusOr<ExitReason>> own, other;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto runner = system->Spawn<Runner>().value();
  const auto actor = system->Spawn<Runner>().value();
  {
    const StartedCall<Do> given_up =
        runner
            .Call<Do>([&](Runner& self) -> Task<absl::Status> {
              begun.Put(true);
              (void)co_await Sleep(absl::InfiniteDuration());
              own.Put(co_await Ended(self.self()).ByKill());
              other.Put(co_await Ended(actor).ByStop());
              co_return absl::OkStatus();
            })
            .Start();
    begun.Await(*system);
  }
  for (auto* const why : {&own, &other}) {
    EXPECT_THAT(why->Await(*system),
                StatusIs(absl::StatusCode::kCancelled, HasSubstr("given up")));
  }
  EXPECT_THAT(actor.Wait(), IsOk());
  EXPECT_EQ(runner.status(), ActorStatus::kRunning);
}

// Who asks an actor that lives long, again and again, leaves nothing with it.
TEST(EndedLeakTest, QuestionsThatAreGivenUpDoNotPileUp) {
  auto* const executor = new DeterministicExecutor({.seed = 3});
  const auto system =
      ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
  const auto runner = system->Spawn<Runner>().value();
  const auto actor = system->Spawn<Runner>().value();
  for (int i = 0; i < 10; ++i) {
    Handed<absl::StatusOr<ExitReason>> why;
    runner.Send<Do>(AwaitEnd(actor, why, absl::Milliseconds(2)));
    EXPECT_THAT(why.Await(*system),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("")));
    EXPECT_THAT(actor.Wait(absl::Milliseconds(2)),
                StatusIs(absl::StatusCode::kDeadlineExceeded, HasSubstr("")));
  }
  executor->RunUntilIdle();
  ASSERT_NE(actor.cell()->extras, nullptr);
  EXPECT_TRUE(actor.cell()->extras->end_answers.empty());
  EXPECT_THAT(actor.StopAndWait(), IsOkAndHolds(ExitReason::Normal()));
}

struct Note {
  int number;
};

class Child : public Actor<Note> {
 public:
  explicit Child(std::vector<int>& log) : log_(log) {}
  void Handle(Note note) { log_.push_back(note.number); }
  void PostStop(const ExitReason&) { log_.push_back(-1); }

 private:
  std::vector<int>& log_;
};

// Ends its child in its own hook.
class Parent : public Actor<Note> {
 public:
  explicit Parent(std::vector<int>& log) : log_(log) {}
  void PostStart() { child_ = Spawn<Child>(log_).value(); }
  void Handle(Note note) { child_.Send(std::move(note)); }
  Task<void> PostStop(const ExitReason&) {
    child_.Send<Note>(2);
    const absl::StatusOr<ExitReason> why = co_await Ended(child_).ByDrain();
    EXPECT_THAT(why, IsOkAndHolds(ExitReason::Drained()));
    EXPECT_EQ(child_.status(), ActorStatus::kStopped);
    log_.push_back(-2);
  }

 private:
  std::vector<int>& log_;
  Child::Ref child_;
};

// R-066, R-068
TEST_P(EndedTest, PostStopMayDrainChildrenAndAwait) {
  std::vector<int> log;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  const auto parent = system->Spawn<Parent>(log).value();
  parent.Send<Note>(1);
  EXPECT_THAT(parent.DrainAndWait(), IsOkAndHolds(ExitReason::Drained()));
  EXPECT_THAT(log, ElementsAre(1, 2, -1, -2));
}

}  // namespace
}  // namespace troupe
