// Deadlines of calls: clause 22 of docs/semantics.md.
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/actor/when_all.h"
#include "troupe/base/clock.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::troupe::internal::Ask;
using ::troupe::internal::AskPlainly;
using ::troupe::internal::Gate;
using ::troupe::internal::Open;
using ::troupe::internal::Pass;
using ::troupe::internal::Play;
using ::troupe::internal::Script;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

constexpr auto kDeadlineExceeded = absl::StatusCode::kDeadlineExceeded;

class DeadlineTest : public internal::CallsTest {
 protected:
  MonotonicTime Now() { return executor_->clock().Now(); }

  Gate::Ref gate_ = Spawn<Gate>();
  Script::Ref script_ = Spawn<Script>();
};

INSTANTIATE_TEST_SUITE_P(Seeds, DeadlineTest, internal::SomeSeeds());

// §22: a deadline in the past is none that could be met.
TEST_P(DeadlineTest, ZeroAndLessFailAtOnce) {
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), absl::Nanoseconds(-1), -absl::Hours(1),
        -absl::InfiniteDuration()}) {
    SCOPED_TRACE(timeout);
    const MonotonicTime before = Now();
    const auto outside = gate_.Call<Pass>().Within(timeout).Wait();
    EXPECT_THAT(outside, StatusIs(kDeadlineExceeded));
    EXPECT_EQ(Delivery(outside), DeliveryState::kNotDelivered);
    absl::StatusOr<int> inside;
    script_.Send<Play>([&]() -> Task<void> {
      inside = co_await gate_.Call<Pass>().Within(timeout);
    });
    executor_->RunUntilIdle();
    EXPECT_THAT(inside, StatusIs(kDeadlineExceeded));
    EXPECT_EQ(Delivery(inside), DeliveryState::kNotDelivered);
    EXPECT_EQ(Now(), before);
  }
}

// §22: by default 5 s, as the system says.
TEST_P(DeadlineTest, DefaultIsFiveSeconds) {
  std::vector<absl::StatusOr<int>> outcomes;
  script_.Send<Play>(
      [&]() -> Task<void> { outcomes.push_back(co_await gate_.Call<Pass>()); });
  executor_->RunFor(absl::Milliseconds(4999));
  EXPECT_TRUE(outcomes.empty());
  executor_->RunFor(absl::Milliseconds(3));
  EXPECT_THAT(outcomes,
              ElementsAre(StatusIs(kDeadlineExceeded,
                                   HasSubstr("Pass: no answer within 5s"))));
  EXPECT_EQ(Delivery(outcomes[0]), DeliveryState::kUnknown);
  const MonotonicTime before = Now();
  EXPECT_THAT(gate_.Call<Pass>().Wait(), StatusIs(kDeadlineExceeded));
  EXPECT_GE(Now() - before, absl::Seconds(5));
}

// §22: also if the handler has called before, and was answered.
TEST_P(DeadlineTest, SecondCallEndsInTimeToo) {
  const auto callee = Spawn<Script>();
  absl::StatusOr<int> first;
  std::vector<absl::StatusOr<int>> second;
  script_.Send<Play>([&]() -> Task<void> {
    first = co_await callee.Call<AskPlainly>([](Request&) { return 1; });
    second.push_back(co_await gate_.Call<Pass>());
  });
  executor_->RunFor(absl::Milliseconds(4999));
  EXPECT_THAT(first, IsOkAndHolds(1));
  EXPECT_TRUE(second.empty());
  executor_->RunFor(absl::Milliseconds(3));
  EXPECT_THAT(second, ElementsAre(StatusIs(kDeadlineExceeded)));
}

// §22: whatever ends at one time ends in the order in which it began, also
// the call that is the actor's first.
TEST_P(DeadlineTest, WaitsOfOneTimeEndInOrder) {
  std::vector<int> ended;
  const auto call = [&](int number) -> Task<void> {
    (void)co_await gate_.Call<Pass>().Within(absl::Milliseconds(7));
    ended.push_back(number);
  };
  const auto rest = [&](int number) -> Task<void> {
    (void)co_await Sleep(absl::Milliseconds(7));
    ended.push_back(number);
  };
  script_.Send<Play>([&]() -> Task<void> {
    co_await WhenAll(rest(1), call(2), call(3), rest(4));
    co_await WhenAll(call(5), rest(6), call(7));
  });
  executor_->RunFor(absl::Milliseconds(20));
  EXPECT_THAT(ended, ElementsAre(1, 2, 3, 4, 5, 6, 7));
}

// §22: infinite is possible, if it is said.
TEST_P(DeadlineTest, InfiniteWaitsForEver) {
  absl::StatusOr<int> outcome;
  script_.Send<Play>([&]() -> Task<void> {
    outcome = co_await gate_.Call<Pass>().Within(absl::InfiniteDuration());
  });
  executor_->RunFor(absl::Hours(10000));
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kUnknown));
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, IsOkAndHolds(1));
}

// §22: the callee can read it.
TEST_P(DeadlineTest, CalleeReadsIt) {
  const auto callee = Spawn<Script>();
  const MonotonicTime before = Now();
  absl::StatusOr<int> outcome;
  script_.Send<Play>([&]() -> Task<void> {
    outcome =
        co_await callee
            .Call<AskPlainly>([&](Request& request) {
              EXPECT_EQ(request.deadline(), before + absl::Milliseconds(20));
              EXPECT_EQ(request.time_left(), absl::Milliseconds(20));
              EXPECT_EQ(request.caller(), script_);
              return 7;
            })
            .Within(absl::Milliseconds(20));
  });
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, IsOkAndHolds(7));
}

// §22: what is sent, not called, has none; nor has a plain thread an actor.
TEST_P(DeadlineTest, RequestThatIsSentHasNone) {
  int handled = 0;
  const auto look = [&](Request& request) {
    ++handled;
    EXPECT_EQ(request.deadline(), MonotonicTime::InfiniteFuture());
    EXPECT_EQ(request.time_left(), absl::InfiniteDuration());
    EXPECT_TRUE(request.caller().IsNull());
    EXPECT_FALSE(request.stop_token().stop_requested());
    return handled;
  };
  script_.Send<AskPlainly>(look);
  executor_->RunUntilIdle();
  EXPECT_EQ(handled, 1);
  EXPECT_THAT(script_
                  .Call<AskPlainly>([&](Request& request) {
                    EXPECT_TRUE(request.caller().IsNull());
                    return 8;
                  })
                  .Wait(),
              IsOkAndHolds(8));
}

// §22: inside a handler it is the tighter of the two.
TEST_P(DeadlineTest, NestedCallsAreBoundedByTheCallers) {
  const auto outer = Spawn<Script>();
  std::vector<MonotonicTime> seen;
  absl::StatusOr<int> inner_outcome;
  std::optional<absl::StatusOr<int>> outer_outcome;
  const MonotonicTime before = Now();
  outer.Send<Play>([&]() -> Task<void> {
    auto ask = [&](Request& request) -> Task<absl::StatusOr<int>> {
      seen.push_back(request.deadline());
      // Also in the handler's later calls.
      (void)co_await Spawn<Script>().Call<AskPlainly>([&](Request& nested) {
        seen.push_back(nested.deadline());
        return 0;
      });
      inner_outcome = co_await gate_.Call<Pass>().Within(absl::Hours(1));
      co_return inner_outcome;
    };
    outer_outcome =
        co_await script_.Call<Ask>(ask).Within(absl::Milliseconds(20));
  });
  executor_->RunFor(absl::Milliseconds(30));
  const MonotonicTime deadline = before + absl::Milliseconds(20);
  EXPECT_THAT(seen, ElementsAre(deadline, deadline));
  EXPECT_THAT(inner_outcome, StatusIs(kDeadlineExceeded));
  ASSERT_TRUE(outer_outcome.has_value());
  EXPECT_THAT(*outer_outcome, StatusIs(kDeadlineExceeded));
}

// §22, §18: an expired request is a dead letter, and no handler sees it.
TEST_P(DeadlineTest, ExpiredRequestIsDroppedUnseen) {
  script_.Send<Play>([&]() -> Task<void> {
    (void)co_await gate_.Call<Pass>().Within(absl::Hours(1));
  });
  executor_->RunUntilIdle();
  int handled = 0;
  const auto count = [&](Request&) { return ++handled; };
  EXPECT_THAT(
      script_.Call<AskPlainly>(count).Within(absl::Milliseconds(10)).Wait(),
      StatusIs(kDeadlineExceeded));
  script_.Send<AskPlainly>(count);
  gate_.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_EQ(handled, 1);
  EXPECT_EQ(expired_letters_, 1);
}

// §22: an answer that comes too late meets nobody, not even the next call.
TEST_P(DeadlineTest, LateAnswerIsDropped) {
  const auto prompt = Spawn<Gate>();
  std::vector<absl::StatusOr<int>> outcomes;
  script_.Send<Play>([&]() -> Task<void> {
    outcomes.push_back(
        co_await gate_.Call<Pass>().Within(absl::Milliseconds(1)));
    gate_.Send<Open>();
    outcomes.push_back(co_await prompt.Call<Pass>());
  });
  executor_->RunFor(absl::Milliseconds(10));
  EXPECT_THAT(outcomes, ElementsAre(StatusIs(kDeadlineExceeded)));
  prompt.Send<Open>();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcomes,
              ElementsAre(StatusIs(kDeadlineExceeded), IsOkAndHolds(1)));
}

// §22: each call has a deadline of its own, whatever their order.
TEST_P(DeadlineTest, ManyCallsOfOneActorEndInTheirTime) {
  const auto many = Spawn<internal::InterleavedScript>();
  std::vector<int> order;
  for (const int ms : {40, 10, 30, 20, 50}) {
    many.Send<Play>([&, ms]() -> Task<void> {
      const absl::StatusOr<int> outcome =
          co_await gate_.Call<Pass>().Within(absl::Milliseconds(ms));
      EXPECT_THAT(outcome, StatusIs(kDeadlineExceeded));
      order.push_back(ms);
    });
  }
  executor_->RunFor(absl::Milliseconds(35));
  EXPECT_THAT(order, ElementsAre(10, 20, 30));
  executor_->RunFor(absl::Milliseconds(20));
  EXPECT_THAT(order, ElementsAre(10, 20, 30, 40, 50));
}

}  // namespace
}  // namespace troupe
