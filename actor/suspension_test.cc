// What an actor does, and does not, while a handler or hook of its is
// suspended: clauses 8, 10 to 13 and 19 of docs/semantics.md.
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/request.h"
#include "troupe/actor/send_result.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::troupe::internal::Ask;
using ::troupe::internal::AskPlainly;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::InterleavedScript;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;
using ::troupe::internal::Play;
using ::troupe::internal::Script;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

using Log = std::vector<std::string>;

class SuspensionTest : public internal::CallsTest {
 protected:
  // Makes `actor` log `name`, wait at the gate, and log it again.
  template <typename Ref>
  void SendWaiting(const Ref& actor, const std::string& name) {
    actor.template Send<Play>([this, name]() -> Task<void> {
      log_.push_back(name + " began");
      (void)co_await gate_.Call<Pass>().Within(absl::InfiniteDuration());
      log_.push_back(name + " ended");
    });
    executor_->RunUntilIdle();
  }
  absl::AnyInvocable<void()> LogIt(const std::string& name) {
    return [this, name] { log_.push_back(name); };
  }

  Log log_;
  Gate::Ref gate_ = Spawn<Gate>();
  Script::Ref script_ = Spawn<Script>();
};

INSTANTIATE_TEST_SUITE_P(Seeds, SuspensionTest, internal::SomeSeeds());

// §19: nothing else is handled meanwhile; then all is, urgent messages first.
TEST_P(SuspensionTest, HoldsMessagesUntilTheHandlerEnds) {
  SendWaiting(script_, "first");
  script_.Send<Do>(LogIt("second"));
  script_.Send<Do>(LogIt("third"));
  script_.SendUrgent<Do>(LogIt("urgent 1"));
  script_.SendUrgent<Do>(LogIt("urgent 2"));
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("first began"));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("first began", "first ended", "urgent 1",
                                "urgent 2", "second", "third"));
}

// §19: an actor may ask for interleaving.
TEST_P(SuspensionTest, InterleavedHandlersRunBesideEachOther) {
  const auto actor = Spawn<InterleavedScript>();
  SendWaiting(actor, "a");
  SendWaiting(actor, "b");
  actor.Send<Do>(LogIt("c"));
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("a began", "b began", "c"));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_,
              ElementsAre("a began", "b began", "c", "a ended", "b ended"));
}

// Handles only some messages beside others.
class PartlyInterleaved : public Script {
 public:
  using Interleaved = Protocol<Play>;
};

// §19: what did not ask for it waits, and is waited for.
TEST_P(SuspensionTest, ExclusiveHandlerHoldsInterleavedOnes) {
  const auto actor = Spawn<PartlyInterleaved>();
  SendWaiting(actor, "run");
  absl::StatusOr<int> answer;
  script_.Send<Play>([&]() -> Task<void> {
    auto ask = [&](Request&) -> Task<absl::StatusOr<int>> {
      log_.push_back("ask began");
      co_return co_await gate_.Call<Pass>();
    };
    answer = co_await actor.Call<Ask>(ask);
  });
  executor_->RunUntilIdle();
  actor.Send<Do>(LogIt("do"));
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("run began", "ask began"));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(answer, IsOkAndHolds(1));
  EXPECT_THAT(log_, ElementsAre("run began", "ask began", "run ended", "do"));
}

// R-008, §11: the suspended handler finishes, and answers; what is queued hears
// at once.
TEST_P(SuspensionTest, StopLetsTheSuspendedHandlerFinish) {
  std::optional<absl::StatusOr<int>> handled;
  const auto caller = Spawn<Script>();
  caller.Send<Play>([&]() -> Task<void> {
    auto ask = [&](Request& request) -> Task<absl::StatusOr<int>> {
      const absl::StatusOr<int> passed = co_await gate_.Call<Pass>();
      EXPECT_FALSE(request.stop_token().stop_requested());
      co_return passed;
    };
    handled = co_await script_.Call<Ask>(ask);
  });
  executor_->RunUntilIdle();
  std::optional<absl::StatusOr<int>> queued;
  const auto other = Spawn<Script>();
  other.Send<Play>([&]() -> Task<void> {
    queued = co_await script_.Call<AskPlainly>([](Request&) { return 2; });
  });
  executor_->RunUntilIdle();
  EXPECT_FALSE(queued.has_value());
  script_.Stop(ExitReason::Normal("enough"));
  executor_->RunUntilIdle();
  ASSERT_TRUE(queued.has_value());
  EXPECT_THAT(*queued,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("enough")));
  EXPECT_EQ(Delivery(*queued), DeliveryState::kNotDelivered);
  EXPECT_EQ(system_->dead_letters(), 1u);
  EXPECT_FALSE(handled.has_value());
  EXPECT_NE(script_.status(), ActorStatus::kStopped);
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  ASSERT_TRUE(handled.has_value());
  EXPECT_THAT(*handled, IsOkAndHolds(1));
  EXPECT_EQ(script_.status(), ActorStatus::kStopped);
}

// §13: a drain handles what was admitted, urgent messages too, after the
// suspended handler.
TEST_P(SuspensionTest, DrainHandlesWhatWasHeld) {
  SendWaiting(script_, "first");
  script_.Send<Do>(LogIt("second"));
  script_.SendUrgent<Do>(LogIt("urgent"));
  executor_->RunUntilIdle();
  script_.Drain();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("first began"));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_,
              ElementsAre("first began", "first ended", "urgent", "second"));
  EXPECT_EQ(script_.status(), ActorStatus::kStopped);
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// R-031, §13: asked for in a handler, and twice, it is the same.
TEST_P(SuspensionTest, DrainInAHandlerHandlesWhatWaits) {
  SendWaiting(script_, "first");
  script_.Send<Do>([this] {
    script_.Drain();
    script_.Drain();
    EXPECT_EQ(script_.TrySend(Do{LogIt("refused")}), SendResult::kStopped);
  });
  script_.Send<Do>(LogIt("admitted"));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("first began", "first ended", "admitted"));
  EXPECT_EQ(script_.status(), ActorStatus::kStopped);
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// §13: the same with nothing but urgent messages.
TEST_P(SuspensionTest, DrainHandlesUrgentMessagesAlone) {
  SendWaiting(script_, "first");
  script_.SendUrgent<Do>(LogIt("urgent"));
  script_.Drain();
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("first began", "first ended", "urgent"));
  EXPECT_EQ(script_.status(), ActorStatus::kStopped);
}

// §10, §13: a stop overtakes a drain that waits for a suspended handler.
TEST_P(SuspensionTest, StopOvertakesTheDrain) {
  SendWaiting(script_, "first");
  script_.Send<Do>(LogIt("second"));
  script_.Drain();
  executor_->RunUntilIdle();
  script_.Stop();
  executor_->RunUntilIdle();
  EXPECT_EQ(system_->dead_letters(), 1u);
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, ElementsAre("first began", "first ended"));
}

// §12: a kill destroys the handler where it is suspended.
TEST_P(SuspensionTest, KillDestroysTheSuspendedHandler) {
  std::atomic<int> living = 0;
  script_.Send<Play>([&]() -> Task<void> {
    const internal::Tracked tracked(living);
    (void)co_await gate_.Call<Pass>();
    ADD_FAILURE() << "goes on after a kill";
  });
  script_.Send<Do>(LogIt("second"));
  executor_->RunUntilIdle();
  EXPECT_EQ(living, 1);
  script_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(living, 0);
  EXPECT_EQ(script_.status(), ActorStatus::kStopped);
  EXPECT_EQ(system_->dead_letters(), 1u);
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(log_, IsEmpty());
}

// §7: a failure beside suspended handlers ends them.
TEST_P(SuspensionTest, FailureDestroysTheOtherHandlers) {
  const auto actor = Spawn<InterleavedScript>();
  SendWaiting(actor, "a");
  std::optional<absl::StatusOr<int>> asked;
  script_.Send<Play>([&]() -> Task<void> {
    auto ask = [&](Request&) -> Task<absl::StatusOr<int>> {
      co_return co_await gate_.Call<Pass>();
    };
    asked = co_await actor.Call<Ask>(ask);
  });
  executor_->RunUntilIdle();
  actor.Send<Play>([]() -> Task<void> {
    throw std::runtime_error("broken");
    co_return;
  });
  executor_->RunUntilIdle();
  EXPECT_EQ(actor.status(), ActorStatus::kStopped);
  ASSERT_TRUE(asked.has_value());
  EXPECT_THAT(*asked,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("broken")));
  EXPECT_EQ(Delivery(*asked), DeliveryState::kUnknown);
  EXPECT_THAT(log_, ElementsAre("a began"));
}

// §11: also what strangers pushed just before the stop hears of it at once.
TEST(SuspensionOnThreadsTest, StopBuriesWhatIsOnItsWay) {
  const auto system = ActorSystem::Create({.workers = 1}).value();
  const auto gate = system->Spawn<Gate>().value();
  const auto target = system->Spawn<Script>().value();
  const auto stopper = system->Spawn<Script>().value();
  Event suspended;
  target.Send<Play>([&]() -> Task<void> {
    suspended.Set();
    (void)co_await gate.Call<Pass>().Within(absl::InfiniteDuration());
  });
  ASSERT_TRUE(suspended.WaitWithTimeout(absl::InfiniteDuration()));
  stopper.Send<Do>([&] {
    target.Send<Do>([] {});
    // The worker that owns both is busy: the message stays on its way.
    std::thread([&] { target.Send<Do>([] {}); }).join();
    target.Stop();
  });
  EXPECT_THAT(stopper.DrainAndWait(), IsOk());
  Executor& executor = system->executor();
  EXPECT_TRUE(executor.RunUntil([&] { return system->dead_letters() == 2; },
                                executor.clock().Now() + absl::Seconds(10)));
  gate.Send<Open>();
  EXPECT_THAT(target.Wait(), IsOk());
}

}  // namespace
}  // namespace troupe
