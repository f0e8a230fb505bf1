// Who gives up a call, and who hears of that: clause 23 of docs/semantics.md.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/ended.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/held_time_executor.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::troupe::internal::Ask;
using ::troupe::internal::AskPlainly;
using ::troupe::internal::Gate;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;
using ::troupe::internal::Play;
using ::troupe::internal::Script;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

constexpr auto kCancelled = absl::StatusCode::kCancelled;

class CancellationTest : public internal::CallsTest {
 protected:
  // Has `caller` call `callee`, whose handler waits at the gate, and notes what
  // it sees then.
  void CallThroughTo(const Script::Ref& caller, const Script::Ref& callee) {
    caller.Send<Play>([this, callee]() -> Task<void> {
      auto wait = [this](Request& request) -> Task<absl::StatusOr<int>> {
        seen_.push_back(co_await gate_.Call<Pass>());
        fired_.push_back(request.stop_token().stop_requested());
        co_return 7;
      };
      outcome_ = co_await callee.Call<Ask>(wait);
    });
    executor_->RunUntilIdle();
    EXPECT_TRUE(seen_.empty());
  }

  Gate::Ref gate_ = Spawn<Gate>();
  Script::Ref caller_ = Spawn<Script>();
  Script::Ref callee_ = Spawn<Script>();
  std::vector<absl::StatusOr<int>> seen_;
  std::vector<bool> fired_;
  std::optional<absl::StatusOr<int>> outcome_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, CancellationTest, internal::SomeSeeds());

// §23: what the callee waits for ends at once, and its token has fired.
TEST_P(CancellationTest, DeathOfTheCallerFiresTheToken) {
  CallThroughTo(caller_, callee_);
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(StatusIs(kCancelled, HasSubstr("give up"))));
  EXPECT_EQ(Delivery(seen_[0]), DeliveryState::kUnknown);
  EXPECT_THAT(fired_, ElementsAre(true));
  EXPECT_FALSE(outcome_.has_value());
  EXPECT_EQ(callee_.status(), ActorStatus::kRunning);
}

// §23: so does what it waits for when it has called before, and was answered.
TEST_P(CancellationTest, DeathOfTheCallerEndsASecondCall) {
  const auto other = Spawn<Script>();
  caller_.Send<Play>([&]() -> Task<void> {
    auto wait = [&](Request&) -> Task<absl::StatusOr<int>> {
      seen_.push_back(
          co_await other.Call<AskPlainly>([](Request&) { return 2; }));
      seen_.push_back(co_await gate_.Call<Pass>());
      co_return 7;
    };
    outcome_ = co_await callee_.Call<Ask>(wait);
  });
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(IsOkAndHolds(2)));
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(IsOkAndHolds(2), StatusIs(kCancelled)));
}

// §23: a graceful stop of the callee does not fire it; the answer comes.
TEST_P(CancellationTest, GracefulStopOfTheCalleeFiresNothing) {
  CallThroughTo(caller_, callee_);
  callee_.Stop();
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(IsOkAndHolds(1)));
  EXPECT_THAT(fired_, ElementsAre(false));
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_THAT(*outcome_, IsOkAndHolds(7));
}

// §23, §11: nor does one of the caller, whose handler ends first.
TEST_P(CancellationTest, GracefulStopOfTheCallerFiresNothing) {
  CallThroughTo(caller_, callee_);
  caller_.Stop();
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(fired_, ElementsAre(false));
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_THAT(*outcome_, IsOkAndHolds(7));
  EXPECT_EQ(caller_.status(), ActorStatus::kStopped);
}

// §24: a callee that is killed aborts the call.
TEST_P(CancellationTest, DeathOfTheCalleeAbortsTheCall) {
  CallThroughTo(caller_, callee_);
  callee_.Kill();
  executor_->RunUntilIdle();
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_THAT(*outcome_,
              StatusIs(absl::StatusCode::kAborted, HasSubstr("killed")));
  EXPECT_EQ(Delivery(*outcome_), DeliveryState::kUnknown);
}

// §23: through a chain of calls, from its first caller to its last callee.
TEST_P(CancellationTest, RunsThroughAChainOfCalls) {
  const auto last = Spawn<Script>();
  std::vector<int> told;
  caller_.Send<Play>([&]() -> Task<void> {
    auto middle = [&](Request& request) -> Task<absl::StatusOr<int>> {
      auto wait = [&](Request& inner) -> Task<absl::StatusOr<int>> {
        seen_.push_back(co_await gate_.Call<Pass>());
        if (inner.stop_token().stop_requested()) told.push_back(2);
        co_return seen_.back();
      };
      const absl::StatusOr<int> answer = co_await last.Call<Ask>(wait);
      EXPECT_THAT(answer, StatusIs(kCancelled));
      if (request.stop_token().stop_requested()) told.push_back(1);
      co_return answer;
    };
    (void)co_await callee_.Call<Ask>(middle);
    ADD_FAILURE() << "the caller is dead";
  });
  executor_->RunUntilIdle();
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(told, ::testing::UnorderedElementsAre(1, 2));
  EXPECT_THAT(seen_, ElementsAre(StatusIs(kCancelled)));
}

// §23: a handler that has been given up waits for nothing more.
TEST_P(CancellationTest, LaterCallsOfTheHandlerEndAtOnce) {
  caller_.Send<Play>([&]() -> Task<void> {
    auto wait = [&](Request&) -> Task<absl::StatusOr<int>> {
      for (int i = 0; i < 3; ++i) seen_.push_back(co_await gate_.Call<Pass>());
      co_return 0;
    };
    (void)co_await callee_.Call<Ask>(wait);
  });
  executor_->RunUntilIdle();
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen_, ElementsAre(StatusIs(kCancelled), StatusIs(kCancelled),
                                 StatusIs(kCancelled)));
  EXPECT_EQ(Delivery(seen_[0]), DeliveryState::kUnknown);
  EXPECT_EQ(Delivery(seen_[1]), DeliveryState::kNotDelivered);
  // It handles other requests as ever.
  EXPECT_THAT(callee_
                  .Call<AskPlainly>([](Request& request) {
                    EXPECT_FALSE(request.stop_token().stop_requested());
                    return 3;
                  })
                  .Wait(),
              IsOkAndHolds(3));
}

// §23, §18: a request that still waits when it is given up reaches no handler,
// in a bounded mailbox as in an unbounded one.
TEST_P(CancellationTest, QueuedRequestIsDroppedUnseen) {
  for (const bool bounded : {false, true}) {
    SCOPED_TRACE(bounded);
    SpawnOptions options;
    if (bounded) options.mailbox.messages = 10;
    const auto callee = system_->Spawn<Script>(options).value();
    const auto caller = Spawn<Script>();
    expired_letters_ = 0;
    callee.Send<Play>(
        [&]() -> Task<void> { (void)co_await gate_.Call<Pass>(); });
    executor_->RunUntilIdle();
    int handled = 0;
    const auto count = [&](Request&) { return ++handled; };
    caller.Send<Play>(
        [&]() -> Task<void> { (void)co_await callee.Call<AskPlainly>(count); });
    executor_->RunUntilIdle();
    caller.Kill();
    executor_->RunUntilIdle();
    gate_.Send<Open>();
    executor_->RunUntilIdle();
    EXPECT_EQ(handled, 0);
    EXPECT_EQ(expired_letters_, 1);
  }
}

// §23: what a dead caller's callee answers meets nobody.
TEST_P(CancellationTest, AnswerToTheDeadIsDropped) {
  caller_.Send<Play>([&]() -> Task<void> {
    (void)co_await gate_.Call<Pass>();
    ADD_FAILURE() << "the caller is dead";
  });
  executor_->RunUntilIdle();
  caller_.Kill();
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_EQ(caller_.status(), ActorStatus::kStopped);
  EXPECT_EQ(system_->dead_letters(), 0u);
}

// -- where it waits -----------------------------------------------------------

// Writes down what it handles.
struct Count {
  int number;
  std::vector<int>* handled;
  using Reply = void;
};
class InOrder : public Actor<Count> {
 public:
  void Handle(Count m) { m.handled->push_back(m.number); }
};

// §23: a request is found however far back it waits; one that is not far back
// costs the callee nothing to remember.
TEST(QueuedCancellationTest, RequestIsDroppedWhereverItWaits) {
  auto executor = std::make_unique<DeterministicExecutor>(
      DeterministicExecutor::Options{.workers = 1,
                                     .hand_over_probability = 0,
                                     .lost_seat_probability = 0});
  DeterministicExecutor& steps = *executor;
  const auto system = ActorSystem::CreateOn(std::move(executor), {});
  for (const int before : {0, 1, 7, 8, 9, 100}) {
    SCOPED_TRACE(before);
    const auto callee = system->Spawn<InOrder>().value();
    const auto caller = system->Spawn<Script>().value();
    const uint64_t letters = system->dead_letters();
    std::vector<int> handled;
    // All waits when the callee's turn begins, the cancellation too.
    caller.Send<internal::Do>([&] {
      for (int i = 0; i < before; ++i) callee.Send<Count>(i, &handled);
      { auto dropped = callee.Call<Count>(-1, &handled).Start(); }
      callee.Send<Count>(before, &handled);
    });
    steps.RunUntilIdle();
    EXPECT_EQ(system->dead_letters() - letters, 1);
    EXPECT_EQ(handled.size(), before + 1);
    EXPECT_THAT(handled, Not(Contains(-1)));
    EXPECT_EQ(callee.cell()->handler == nullptr, before < 8);
  }
}

// §23: what was answered when it was given up costs nothing either.
TEST(QueuedCancellationTest, AnsweredRequestIsNotRemembered) {
  auto executor = std::make_unique<DeterministicExecutor>(
      DeterministicExecutor::Options{.workers = 1,
                                     .hand_over_probability = 0,
                                     .lost_seat_probability = 0});
  DeterministicExecutor& steps = *executor;
  const auto system = ActorSystem::CreateOn(std::move(executor), {});
  const auto callee = system->Spawn<InOrder>().value();
  std::vector<int> handled;
  {
    auto call = callee.Call<Count>(1, &handled).Start();
    steps.RunUntilIdle();
  }
  internal::SendCancel(*callee.cell(), callee.id().value(),
                       internal::ReplyRoute::To(*callee.cell(), 1, 2));
  steps.RunUntilIdle();
  EXPECT_THAT(handled, ElementsAre(1));
  EXPECT_EQ(system->dead_letters(), 0);
  EXPECT_EQ(callee.cell()->handler, nullptr);
}

// -- plain handlers, which poll -----------------------------------------------

// A system of threads whose time is held.
class TokenTest : public ::testing::Test {
 protected:
  TokenTest() {
    auto held = std::make_unique<internal::HeldTimeExecutor>(
        ThreadExecutor::Options{.workers = 2});
    executor_ = held.get();
    system_ = ActorSystem::CreateOn(std::move(held), {});
    callee_ = system_->Spawn<Script>().value();
    caller_ = system_->Spawn<Script>().value();
  }

  // Has the caller call the callee, whose handler polls until its token fires.
  // Returns when it does, its seat given up if so wished.
  void CallPolling(bool give_up_seat) {
    caller_.Send<Play>([this, give_up_seat]() -> Task<void> {
      auto poll = [this, give_up_seat](Request& request) {
        if (give_up_seat) executor_->GiveUpSeat();
        EXPECT_FALSE(request.stop_token().stop_requested());
        polling_.Set();
        while (!request.stop_token().stop_requested()) {
        }
        fired_.Set();
        return 1;
      };
      outcome_ = co_await callee_.Call<AskPlainly>(poll).Within(absl::Hours(1));
    });
    ASSERT_TRUE(polling_.WaitWithTimeout(absl::InfiniteDuration()));
  }
  void AwaitFired() {
    EXPECT_TRUE(fired_.WaitWithTimeout(absl::InfiniteDuration()));
  }

  internal::HeldTimeExecutor* executor_;
  Script::Ref callee_;
  Script::Ref caller_;
  Event polling_;
  Event fired_;
  std::optional<absl::StatusOr<int>> outcome_;  // The caller's.
  std::unique_ptr<ActorSystem> system_;         // Last: the first to go.
};

class PollingTest : public TokenTest,
                    public ::testing::WithParamInterface<bool> {};

INSTANTIATE_TEST_SUITE_P(SeatIsGivenUp, PollingTest, ::testing::Bool());

// §12, §23.
TEST_P(PollingTest, KillOfTheActorFiresTheToken) {
  CallPolling(GetParam());
  callee_.Kill();
  AwaitFired();
  EXPECT_THAT(callee_.Wait(), IsOk());
  EXPECT_THAT(caller_.DrainAndWait(), IsOk());
  // The handler that ran to its end has answered.
  ASSERT_TRUE(outcome_.has_value());
  EXPECT_THAT(*outcome_, IsOkAndHolds(1));
}

// §22, §23.
TEST_P(PollingTest, DeadlineFiresTheToken) {
  CallPolling(GetParam());
  executor_->Advance(absl::Hours(1) - absl::Nanoseconds(1));
  EXPECT_FALSE(fired_.IsSet());
  executor_->Advance(absl::Nanoseconds(1));
  AwaitFired();
}

// §23.
TEST_P(PollingTest, DeathOfTheCallerFiresTheToken) {
  CallPolling(GetParam());
  EXPECT_THAT(caller_.KillAndWait(), IsOk());
  AwaitFired();
  EXPECT_FALSE(outcome_.has_value());
}

// A coroutine that answers by a ReplyTo.
class LateAnswerer : public Actor<Pass> {
 public:
  // With `early` it answers before it waits.
  LateAnswerer(ActorRef<Pass> gate, bool early, absl::StatusOr<int>& seen)
      : gate_(gate), early_(early), seen_(seen) {}
  Task<void> Handle(Pass, ReplyTo<int> reply) {
    if (early_) reply.Send(2);
    seen_ = co_await gate_.Call<Pass>();
    reply.Send(3);
  }

 private:
  const ActorRef<Pass> gate_;
  const bool early_;
  absl::StatusOr<int>& seen_;
};

// §23: a duty to answer does not keep the handler from hearing of it.
TEST_P(CancellationTest, ReachesAHandlerWithItsReplyToInHand) {
  absl::StatusOr<int> seen = absl::UnknownError("not over");
  const auto late = system_->Spawn<LateAnswerer>(gate_, false, seen).value();
  caller_.Send<Play>([&]() -> Task<void> { (void)co_await late.Call<Pass>(); });
  executor_->RunUntilIdle();
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen, StatusIs(kCancelled, HasSubstr("give up")));
  // The next caller gets an answer.
  auto next = late.Call<Pass>().Start();
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  EXPECT_THAT(std::move(next).Wait(), IsOkAndHolds(3));
}

// §23: one that has answered works on undisturbed by the end of its caller.
TEST_P(CancellationTest, HandlerThatHasAnsweredIsLeftAlone) {
  absl::StatusOr<int> seen = absl::UnknownError("not over");
  const auto late = system_->Spawn<LateAnswerer>(gate_, true, seen).value();
  caller_.Send<Play>(
      [&]() -> Task<void> { outcome_ = co_await late.Call<Pass>(); });
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome_.value(), IsOkAndHolds(2));
  caller_.Kill();
  executor_->RunUntilIdle();
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(seen, IsOkAndHolds(1));
}

// §24: answered once, by whoever holds the duty, when its handler is killed.
TEST_P(CancellationTest, KilledHandlerWithAReplyToAnswersOnce) {
  absl::StatusOr<int> seen = absl::UnknownError("not over");
  const auto late = system_->Spawn<LateAnswerer>(gate_, false, seen).value();
  std::vector<absl::StatusOr<int>> answers;
  caller_.Send<Play>([&]() -> Task<void> {
    answers.push_back(co_await late.Call<Pass>());
    EXPECT_THAT(co_await Ended(late), IsOk());
    answers.push_back(co_await late.Call<Pass>());
  });
  executor_->RunUntilIdle();
  late.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(answers, ElementsAre(StatusIs(kCancelled),
                                   StatusIs(absl::StatusCode::kNotFound)));
}

}  // namespace
}  // namespace troupe
