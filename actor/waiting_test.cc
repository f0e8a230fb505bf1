// Plain threads that wait for actors to end.
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/held_time_executor.h"
#include "troupe/actor/internal/system_testing.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

struct Block {};

class Blocker : public Actor<Block> {
 public:
  Blocker(absl::Notification& entered, absl::Notification& released)
      : entered_(entered), released_(released) {}
  void Handle(Block) {
    entered_.Notify();
    released_.WaitForNotification();
  }

 private:
  absl::Notification& entered_;
  absl::Notification& released_;
};

// R-034, §15: any number of threads may wait, however they began; each hears
// the reason of the one end. Those that come later return at once.
TEST(WaitingTest, AllWaitersWakeWithTheReason) {
  auto held = std::make_unique<internal::HeldTimeExecutor>(
      ThreadExecutor::Options{.workers = 2});
  internal::HeldTimeExecutor& executor = *held;
  absl::Notification entered;
  absl::Notification released;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::CreateOn(std::move(held), {});
  Blocker::Ref blocker = system->Spawn<Blocker>(entered, released).value();
  blocker.Send<Block>();
  entered.WaitForNotification();
  blocker.Stop(ExitReason::Normal("first"));

  std::vector<absl::StatusOr<ExitReason>> reasons(6);
  std::vector<std::thread> waiters;
  for (size_t i = 0; i < reasons.size(); ++i) {
    waiters.emplace_back([&, i] {
      reasons[i] = i % 3 == 0   ? blocker.Wait()
                   : i % 3 == 1 ? blocker.StopAndWait()
                                : blocker.DrainAndWait();
    });
  }
  executor.AwaitWaiters(static_cast<int>(reasons.size()));
  released.Notify();
  for (std::thread& waiter : waiters) waiter.join();
  EXPECT_THAT(reasons, Each(IsOkAndHolds(ExitReason::Normal("first"))));
  EXPECT_THAT(blocker.Wait(), IsOkAndHolds(ExitReason::NoActor()));
}

// §15: a timeout changes nothing for the actor, nor for others that wait.
TEST(WaitingTest, TimeoutLeavesTheActorAndOtherWaitersAlone) {
  auto held = std::make_unique<internal::HeldTimeExecutor>(
      ThreadExecutor::Options{.workers = 2});
  internal::HeldTimeExecutor& executor = *held;
  absl::Notification entered;
  absl::Notification released;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::CreateOn(std::move(held), {});
  Blocker::Ref blocker = system->Spawn<Blocker>(entered, released).value();
  absl::StatusOr<ExitReason> patient;
  absl::StatusOr<ExitReason> hasty;
  std::thread first([&] { patient = blocker.Wait(); });
  std::thread second([&] { hasty = blocker.Wait(absl::Seconds(3)); });
  executor.AwaitWaiters(2);
  executor.Advance(absl::Seconds(3));
  second.join();
  EXPECT_THAT(hasty, StatusIs(absl::StatusCode::kDeadlineExceeded,
                              HasSubstr("has not ended within 3s")));
  EXPECT_EQ(blocker.status(), ActorStatus::kRunning);
  blocker.Drain();
  first.join();
  EXPECT_THAT(patient, IsOkAndHolds(ExitReason::Drained()));
}

struct Ask {
  AnyActorRef whom;
};

class Impatient : public Actor<Ask, Block> {
 public:
  explicit Impatient(std::vector<absl::StatusOr<ExitReason>>& answers)
      : answers_(answers) {}
  void Handle(Ask m) {
    answers_ = {m.whom.Wait(), m.whom.StopAndWait(), m.whom.DrainAndWait(),
                m.whom.KillAndWait(), AnyActorRef(self()).Wait()};
  }
  void Handle(Block) {}

 private:
  std::vector<absl::StatusOr<ExitReason>>& answers_;
};

class WaitingInTurnTest : public internal::SystemTest {};

INSTANTIATE_TEST_SUITE_P(Executors, WaitingInTurnTest,
                         internal::AllExecutors());

// §15: a handler must not wait; nothing is asked of the actor then.
TEST_P(WaitingInTurnTest, HandlersMayNotWait) {
  std::vector<absl::StatusOr<ExitReason>> answers;
  std::vector<absl::StatusOr<ExitReason>> none;
  std::unique_ptr<ActorSystem> system = MakeSystem();
  Impatient::Ref other = system->Spawn<Impatient>(none).value();
  Impatient::Ref impatient = system->Spawn<Impatient>(answers).value();
  impatient.Send<Ask>(other);
  EXPECT_TRUE(impatient.DrainAndWait().ok());
  EXPECT_EQ(answers.size(), 5u);
  EXPECT_THAT(answers, Each(StatusIs(absl::StatusCode::kFailedPrecondition,
                                     HasSubstr("inside a handler"))));
  EXPECT_EQ(other.status(), ActorStatus::kRunning);
}

}  // namespace
}  // namespace troupe
