// The first good answer of several actors; clauses 22 to 26.
#include "troupe/actor/call_any.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

struct Read {
  using Reply = int;
};

// Answers after some time, if it is let.
class Replica : public Actor<Read> {
 public:
  Replica(absl::Duration takes, absl::StatusOr<int> answer, int& given_up)
      : takes_(takes), answer_(std::move(answer)), given_up_(given_up) {}
  Task<absl::StatusOr<int>> Handle(Read) {
    const bool slept = co_await Sleep(takes_);
    if (!slept) ++given_up_;
    co_return answer_;
  }

 private:
  const absl::Duration takes_;
  const absl::StatusOr<int> answer_;
  int& given_up_;
};

// Never answers: one whose handler waited would, at the deadline.
class Mute : public Actor<Read> {
 public:
  void Handle(Read, ReplyTo<int> reply) { kept_.push_back(std::move(reply)); }

 private:
  std::vector<ReplyTo<int>> kept_;
};

class CallAnyTest : public CallsTest {
 protected:
  ActorRef<Read> SpawnReplica(absl::Duration takes, absl::StatusOr<int> says) {
    return system_->Spawn<Replica>(takes, std::move(says), given_up_).value();
  }
  // What a Task of `script_`, and a plain thread, get.
  std::array<absl::StatusOr<int>, 2> BothWays(
      const std::vector<ActorRef<Read>>& replicas,
      absl::Duration timeout = absl::Seconds(5)) {
    absl::StatusOr<int> in_task = absl::UnknownError("not over");
    script_.Send<Play>([&]() -> Task<void> {
      in_task = co_await CallAny<Read>(replicas).Within(timeout);
    });
    executor_->RunFor(absl::Hours(1));
    absl::StatusOr<int> on_thread =
        CallAny<Read>(replicas).Within(timeout).Wait();
    executor_->RunUntilIdle();
    return {std::move(in_task), std::move(on_thread)};
  }

  int given_up_ = 0;
  Script::Ref script_ = Spawn();
};

TEST_P(CallAnyTest, FirstGoodAnswerWinsAndCancelsTheOthers) {
  const auto outcomes =
      BothWays({SpawnReplica(absl::Minutes(1), 1),
                SpawnReplica(absl::Milliseconds(20), 2),
                SpawnReplica(absl::Milliseconds(10), absl::DataLossError("")),
                SpawnReplica(absl::Minutes(1), 4)});
  for (const absl::StatusOr<int>& outcome : outcomes) {
    EXPECT_THAT(outcome, IsOkAndHolds(2));
  }
  // Two each.
  EXPECT_EQ(given_up_, 4);
}

TEST_P(CallAnyTest, AllFailuresAreCountedAndTheLastDecides) {
  const auto gone = SpawnReplica(absl::ZeroDuration(), 1);
  ASSERT_TRUE(gone.StopAndWait().ok());
  const auto outcomes = BothWays(
      {SpawnReplica(absl::Seconds(2), absl::DataLossError("torn")),
       SpawnReplica(absl::Seconds(1), absl::InternalError("lost")), gone});
  for (const absl::StatusOr<int>& outcome : outcomes) {
    EXPECT_THAT(outcome,
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("any of 3 actors"),
                               HasSubstr("the first: NOT_FOUND"),
                               HasSubstr("the last: DATA_LOSS: torn"))));
    EXPECT_EQ(Delivery(outcome), DeliveryState::kAnswered);
  }
}

TEST_P(CallAnyTest, NoGoodAnswerInTimeIsATimeout) {
  const auto outcomes = BothWays(
      {Spawn<Mute>(),
       SpawnReplica(absl::ZeroDuration(), absl::InternalError("lost"))},
      absl::Seconds(1));
  for (const absl::StatusOr<int>& outcome : outcomes) {
    EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kDeadlineExceeded,
                                  AllOf(HasSubstr("INTERNAL: lost"),
                                        HasSubstr("no answer within 1s"))));
    EXPECT_EQ(Delivery(outcome), DeliveryState::kUnknown);
  }
}

TEST_P(CallAnyTest, OfTheDeadNothingWasDelivered) {
  const std::vector<ActorRef<Read>> gone = {
      SpawnReplica(absl::ZeroDuration(), 1),
      SpawnReplica(absl::ZeroDuration(), 2)};
  for (const auto& one : gone) ASSERT_TRUE(one.StopAndWait().ok());
  for (const absl::StatusOr<int>& outcome : BothWays(gone)) {
    EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kNotFound,
                                  HasSubstr("any of 2 actors")));
    EXPECT_EQ(Delivery(outcome), DeliveryState::kNotDelivered);
  }
}

TEST_P(CallAnyTest, OfNoActorsIsNotFound) {
  for (const absl::StatusOr<int>& outcome : BothWays({})) {
    EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kNotFound,
                                  HasSubstr("any of no actors")));
    EXPECT_EQ(Delivery(outcome), DeliveryState::kNotDelivered);
  }
}

TEST_P(CallAnyTest, GivenUpRequestGivesUpAll) {
  const std::vector<ActorRef<Read>> replicas = {
      SpawnReplica(absl::Hours(1), 1), SpawnReplica(absl::Hours(1), 2)};
  const auto caller = Spawn();
  absl::StatusOr<int> outcome = 0;
  const auto ask = [&](Request&) -> Task<absl::StatusOr<int>> {
    outcome = co_await CallAny<Read>(replicas);
    co_return outcome;
  };
  caller.Send<Play>(
      [&]() -> Task<void> { (void)co_await script_.Call<Ask>(ask); });
  executor_->RunUntilIdle();
  caller.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(given_up_, 2);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CallAnyTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
