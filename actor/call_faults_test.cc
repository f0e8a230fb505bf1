// Calls that go wrong: the table of clause 24 of docs/semantics.md, and what
// handlers and callers can do to each other.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::troupe::internal::Ask;
using ::troupe::internal::AskPlainly;
using ::troupe::internal::Do;
using ::troupe::internal::Gate;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;
using ::troupe::internal::Play;
using ::troupe::internal::Script;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// That the status has this code, names the actor, and says `state`.
MATCHER_P4(IsFault, code, target, what, state, "") {
  const absl::Status& status = arg.status();
  const std::string text(status.message());
  *result_listener << status << ", " << Delivery(status);
  return status.code() == code &&
         text.find(target.id().ToString()) != std::string::npos &&
         text.find(what) != std::string::npos && Delivery(status) == state;
}

// Hands the duty to answer to the test.
struct Lend {
  using Reply = int;
};
class Lender : public Actor<Lend> {
 public:
  explicit Lender(std::vector<ReplyTo<int>>& lent) : lent_(lent) {}
  void Handle(Lend, ReplyTo<int> reply) { lent_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<int>>& lent_;
};

class CallFaultsTest : public internal::CallsTest {
 protected:
  // Calls, from an actor, and plays until nothing is ready.
  template <typename M, typename Ref, typename... Args>
  std::optional<absl::StatusOr<int>> Call(const Ref& target, Args... args) {
    outcome_ = std::make_shared<std::optional<absl::StatusOr<int>>>();
    Spawn<Script>().template Send<Play>(
        [target, outcome = outcome_, ... args = args]() -> Task<void> {
          *outcome = co_await target.template Call<M>(args...);
        });
    executor_->RunUntilIdle();
    return *outcome_;
  }

  Script::Ref script_ = Spawn<Script>();
  Gate::Ref gate_ = Spawn<Gate>();
  // Of the last Call().
  std::shared_ptr<std::optional<absl::StatusOr<int>>> outcome_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, CallFaultsTest, internal::SomeSeeds());

// -- the table of §24 ---------------------------------------------------------

TEST_P(CallFaultsTest, GoneIsNotFound) {
  script_.Kill();
  executor_->RunUntilIdle();
  const auto fault = [&] {
    return IsFault(absl::StatusCode::kNotFound, script_, "AskPlainly",
                   DeliveryState::kNotDelivered);
  };
  const auto answer = [](Request&) { return 1; };
  EXPECT_THAT(*Call<AskPlainly>(script_, answer), fault());
  EXPECT_THAT(script_.Call<AskPlainly>(answer).Wait(), fault());
  EXPECT_EQ(system_->dead_letters(), 0u);
}

TEST_P(CallFaultsTest, NullReferenceIsNotFound) {
  const Script::Ref none;
  const auto answer = [](Request&) { return 1; };
  EXPECT_THAT(*Call<AskPlainly>(none, answer),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(none.Call<AskPlainly>(answer).Wait(),
              StatusIs(absl::StatusCode::kNotFound));
}

TEST_P(CallFaultsTest, EndBeforeTheAnswerIsAborted) {
  EXPECT_FALSE(
      Call<Ask>(script_, [this](Request&) -> Task<absl::StatusOr<int>> {
        co_return co_await gate_.Call<Pass>();
      }).has_value());
  script_.Kill();
  executor_->RunUntilIdle();
  ASSERT_TRUE(outcome_->has_value());
  EXPECT_THAT(**outcome_, IsFault(absl::StatusCode::kAborted, script_, "killed",
                                  DeliveryState::kUnknown));
}

TEST_P(CallFaultsTest, StoppedCalleeRefusesWithAborted) {
  script_.Send<Play>(
      [this]() -> Task<void> { (void)co_await gate_.Call<Pass>(); });
  executor_->RunUntilIdle();
  script_.Stop();
  executor_->RunUntilIdle();
  EXPECT_THAT(*Call<AskPlainly>(script_, [](Request&) { return 1; }),
              IsFault(absl::StatusCode::kAborted, script_, "AskPlainly",
                      DeliveryState::kNotDelivered));
}

TEST_P(CallFaultsTest, DroppedReplyIsCancelled) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  lent.clear();
  executor_->RunUntilIdle();
  ASSERT_TRUE(outcome_->has_value());
  EXPECT_THAT(**outcome_, IsFault(absl::StatusCode::kCancelled, lender, "Lend",
                                  DeliveryState::kUnknown));
}

// The duty may outlive the actor that got it, and its death.
TEST_P(CallFaultsTest, ReplyThatLivesElsewhereIsStillOwed) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  lender.Kill();
  executor_->RunUntilIdle();
  EXPECT_FALSE(outcome_->has_value());
  EXPECT_TRUE(lent[0].Send(5));
  executor_->RunUntilIdle();
  EXPECT_THAT(**outcome_, IsOkAndHolds(5));
}

// §23: one that nobody holds elsewhere fails with its actor's object.
TEST_P(CallFaultsTest, ReplyInAnActorFailsWithIt) {
  for (const bool kill : {false, true}) {
    const auto gate = Spawn<Gate>();
    EXPECT_FALSE(Call<Pass>(gate).has_value());
    kill ? gate.Kill() : gate.Stop();
    executor_->RunUntilIdle();
    ASSERT_TRUE(outcome_->has_value());
    EXPECT_THAT(**outcome_, IsFault(absl::StatusCode::kCancelled, gate, "Pass",
                                    DeliveryState::kUnknown));
  }
}

// §21.
TEST_P(CallFaultsTest, FullMailboxIsResourceExhausted) {
  for (const OverflowPolicy policy :
       {OverflowPolicy::kReject, OverflowPolicy::kDropNewest,
        OverflowPolicy::kAwait}) {
    SCOPED_TRACE(static_cast<int>(policy));
    SpawnOptions options;
    options.mailbox = {.messages = 1, .policy = policy};
    const auto callee = system_->Spawn<Script>(options).value();
    callee.Send<Play>(
        [this]() -> Task<void> { (void)co_await gate_.Call<Pass>(); });
    executor_->RunUntilIdle();
    callee.Send<Do>([] {});
    const auto fault = [&] {
      return IsFault(absl::StatusCode::kResourceExhausted, callee, "AskPlainly",
                     DeliveryState::kNotDelivered);
    };
    const auto answer = [](Request&) { return 1; };
    const auto outcome = Call<AskPlainly>(callee, answer);
    ASSERT_TRUE(outcome.has_value());
    EXPECT_THAT(*outcome, fault());
    const MonotonicTime before = executor_->clock().Now();
    EXPECT_THAT(callee.Call<AskPlainly>(answer).Wait(), fault());
    EXPECT_EQ(executor_->clock().Now(), before);
  }
}

// §21, §18: a request that has to go for another message fails at once.
TEST_P(CallFaultsTest, OldestRequestHearsThatItWasDropped) {
  SpawnOptions options;
  options.mailbox = {.messages = 1, .policy = OverflowPolicy::kDropOldest};
  const auto callee = system_->Spawn<Script>(options).value();
  callee.Send<Play>(
      [this]() -> Task<void> { (void)co_await gate_.Call<Pass>(); });
  executor_->RunUntilIdle();
  EXPECT_FALSE(
      Call<AskPlainly>(callee, [](Request&) { return 1; }).has_value());
  callee.Send<Do>([] {});
  executor_->RunUntilIdle();
  ASSERT_TRUE(outcome_->has_value());
  EXPECT_THAT(**outcome_, IsFault(absl::StatusCode::kResourceExhausted, callee,
                                  "AskPlainly", DeliveryState::kNotDelivered));
}

TEST_P(CallFaultsTest, CalleesOwnStatusComesUnchanged) {
  absl::Status own = absl::DataLossError("its own words");
  own.SetPayload("type.test/x", absl::Cord("kept"));
  const auto outcome = Call<AskPlainly>(
      script_, [own](Request&) -> absl::StatusOr<int> { return own; });
  EXPECT_EQ(outcome->status(), own);
  EXPECT_EQ(Delivery(*outcome), DeliveryState::kAnswered);
}

// A handler that passes on what became of its own call has answered, whichever
// way it answers.
TEST_P(CallFaultsTest, StatusOfANestedCallCountsAsAnswered) {
  const Script::Ref none;
  const auto pass_on = [none](Request&) -> Task<absl::StatusOr<int>> {
    co_return co_await none.Call<AskPlainly>([](Request&) { return 1; });
  };
  const auto outcome = Call<Ask>(script_, pass_on);
  EXPECT_THAT(*outcome, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Delivery(*outcome), DeliveryState::kAnswered);

  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  const absl::StatusOr<int> nested =
      none.Call<AskPlainly>([](Request&) { return 1; }).Wait();
  EXPECT_EQ(Delivery(nested), DeliveryState::kNotDelivered);
  EXPECT_TRUE(lent[0].Send(nested.status()));
  executor_->RunUntilIdle();
  EXPECT_THAT(**outcome_, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(Delivery(**outcome_), DeliveryState::kAnswered);
}

// §25.
TEST_P(CallFaultsTest, CallOfOneselfIsRefused) {
  absl::StatusOr<int> outcome;
  script_.Send<Play>([&]() -> Task<void> {
    outcome = co_await script_.Call<AskPlainly>([](Request&) { return 1; });
  });
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, IsFault(absl::StatusCode::kFailedPrecondition, script_,
                               "AskPlainly", DeliveryState::kNotDelivered));
}

TEST_P(CallFaultsTest, WaitInAHandlerIsRefused) {
  absl::StatusOr<int> outcome;
  script_.Send<Do>([&] { outcome = gate_.Call<Pass>().Wait(); });
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, IsFault(absl::StatusCode::kFailedPrecondition, gate_,
                               "Pass", DeliveryState::kNotDelivered));
}

TEST_P(CallFaultsTest, AwaitOutsideOfAnActorIsRefused) {
  absl::StatusOr<int> outcome;
  const auto call = [&]() -> Task<void> {
    outcome = co_await gate_.Call<Pass>();
  };
  const auto drive = [&] {
    auto root = call().Release();
    internal::RunCoroutine(root);
    EXPECT_TRUE(root.done());
    root.destroy();
  };
  const auto fault = IsFault(absl::StatusCode::kFailedPrecondition, gate_,
                             "Pass", DeliveryState::kNotDelivered);
  drive();
  EXPECT_THAT(outcome, fault);
  // Nor is a plain handler a coroutine.
  outcome = 0;
  script_.Send<Do>(drive);
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, fault);
}

// -- what handlers throw ------------------------------------------------------

// §7, §24.
TEST_P(CallFaultsTest, HandlerThrowsBetweenItsSuspensions) {
  for (int suspensions = 0; suspensions < 3; ++suspensions) {
    SCOPED_TRACE(suspensions);
    std::atomic<int> living = 0;
    const auto callee = Spawn<Script>();
    const auto throws = [this, suspensions,
                         &living](Request&) -> Task<absl::StatusOr<int>> {
      const internal::Tracked tracked(living);
      for (int i = 0; i < suspensions; ++i) (void)co_await gate_.Call<Pass>();
      throw std::runtime_error("broken");
    };
    (void)Call<Ask>(callee, throws);
    for (int i = 0; i < suspensions; ++i) {
      EXPECT_FALSE(outcome_->has_value());
      gate_.Send<Open>();
      executor_->RunUntilIdle();
    }
    ASSERT_TRUE(outcome_->has_value());
    EXPECT_THAT(**outcome_, IsFault(absl::StatusCode::kAborted, callee,
                                    "broken", DeliveryState::kUnknown));
    EXPECT_EQ(callee.status(), ActorStatus::kStopped);
    EXPECT_EQ(living, 0);
  }
}

//
TEST_P(CallFaultsTest, PlainHandlerThrows) {
  const auto throws = [](Request&) -> absl::StatusOr<int> {
    throw std::runtime_error("broken");
  };
  EXPECT_THAT(*Call<AskPlainly>(script_, throws),
              IsFault(absl::StatusCode::kAborted, script_, "broken",
                      DeliveryState::kUnknown));
  EXPECT_EQ(script_.status(), ActorStatus::kStopped);
}

// -- replies ------------------------------------------------------------------

// §26.
TEST_P(CallFaultsTest, SecondReplyIsNotOwed) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  EXPECT_TRUE(lent[0].pending());
  EXPECT_TRUE(lent[0].Send(1));
  EXPECT_FALSE(lent[0].pending());
  EXPECT_FALSE(lent[0].Send(2));
  executor_->RunUntilIdle();
  EXPECT_THAT(**outcome_, IsOkAndHolds(1));
}

TEST_P(CallFaultsTest, ReplyToASentRequestIsNotOwed) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  lender.Send<Lend>();
  executor_->RunUntilIdle();
  EXPECT_FALSE(lent[0].pending());
  EXPECT_FALSE(lent[0].Send(1));
}

TEST_P(CallFaultsTest, AssignedReplyDropsTheOneBefore) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  const auto first = outcome_;
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  lent[0] = std::move(lent[1]);
  executor_->RunUntilIdle();
  EXPECT_THAT(**first, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(lent[0].Send(2));
  executor_->RunUntilIdle();
  EXPECT_THAT(**outcome_, IsOkAndHolds(2));
}

// §26: another actor, a dead caller and a plain thread.
TEST_P(CallFaultsTest, ReplyComesFromAnywhere) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  const auto by_actor = outcome_;
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  const auto by_thread = outcome_;
  Spawn<Script>().Send<Do>([&lent] { EXPECT_TRUE(lent[0].Send(1)); });
  executor_->RunUntilIdle();
  EXPECT_THAT(**by_actor, IsOkAndHolds(1));
  std::thread([&lent] { EXPECT_TRUE(lent[1].Send(2)); }).join();
  executor_->RunUntilIdle();
  EXPECT_THAT(**by_thread, IsOkAndHolds(2));

  script_.Send<Play>(
      [lender]() -> Task<void> { (void)co_await lender.Call<Lend>(); });
  executor_->RunUntilIdle();
  script_.Kill();
  executor_->RunUntilIdle();
  EXPECT_TRUE(lent[2].Send(3));
  executor_->RunUntilIdle();
}

// A duty, and the caller's reference, may outlive the system.
TEST_P(CallFaultsTest, ReplyOutlivesTheSystem) {
  std::vector<ReplyTo<int>> lent;
  const auto lender = system_->Spawn<Lender>(lent).value();
  EXPECT_FALSE(Call<Lend>(lender).has_value());
  expired_ = Subscription();
  system_.reset();
  // The system gave the caller its time.
  EXPECT_THAT(**outcome_, StatusIs(absl::StatusCode::kDeadlineExceeded));
  EXPECT_TRUE(lent[0].Send(1));
  EXPECT_THAT(lender.Call<Lend>().Wait(),
              StatusIs(absl::StatusCode::kNotFound));
}

// A call that is never made destroys its request.
TEST_P(CallFaultsTest, CallThatIsDroppedIsNotMade) {
  std::atomic<int> living = 0;
  int handled = 0;
  {
    auto tracked = std::make_shared<internal::Tracked>(living);
    std::function<int(Request&)> function = [tracked = std::move(tracked),
                                             &handled](Request&) {
      return ++handled;
    };
    const auto call = script_.Call<AskPlainly>(std::move(function));
    EXPECT_EQ(living, 1);
  }
  EXPECT_EQ(living, 0);
  executor_->RunUntilIdle();
  EXPECT_EQ(handled, 0);
}

}  // namespace
}  // namespace troupe
