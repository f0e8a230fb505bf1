// Waiting for a request to be given up; clause 23.
#include "troupe/actor/stopped.h"

#include <atomic>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/request.h"
#include "troupe/actor/task.h"
#include "troupe/actor/when_any.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::troupe::testing::StatusIs;

class StoppedTest : public CallsTest {
 protected:
  // Has `caller_` call `callee_`, which waits for its token.
  void CallAndWait() {
    caller_.Send<Play>([this]() -> Task<void> {
      auto wait = [this](Request& request) -> Task<absl::StatusOr<int>> {
        const Tracked tracked(living_);
        co_await Stopped(request.stop_token());
        ++stopped_;
        // From now on at once.
        co_await Stopped(request.stop_token());
        ++stopped_;
        co_return 1;
      };
      outcome_ = co_await callee_.Call<Ask>(wait).Within(absl::Seconds(10));
    });
    executor_->RunUntilIdle();
    EXPECT_EQ(stopped_, 0);
  }

  Script::Ref caller_ = Spawn();
  Script::Ref callee_ = Spawn();
  std::atomic<int> living_{0};
  int stopped_ = 0;
  absl::StatusOr<int> outcome_ = 0;
};

TEST_P(StoppedTest, EndsWhenTheCallerDies) {
  CallAndWait();
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(stopped_, 2);
  EXPECT_EQ(callee_.status(), ActorStatus::kRunning);
}

TEST_P(StoppedTest, EndsAtTheDeadline) {
  CallAndWait();
  executor_->RunFor(absl::Milliseconds(9900));
  EXPECT_EQ(stopped_, 0);
  executor_->RunFor(absl::Milliseconds(200));
  EXPECT_EQ(stopped_, 2);
}

TEST_P(StoppedTest, GracefulStopWaitsForIt) {
  CallAndWait();
  callee_.Stop();
  executor_->RunUntilIdle();
  EXPECT_EQ(stopped_, 0);
  caller_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(stopped_, 2);
  EXPECT_EQ(callee_.status(), ActorStatus::kStopped);
}

TEST_P(StoppedTest, KillDestroysWhatWaits) {
  CallAndWait();
  EXPECT_EQ(living_, 1);
  callee_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(living_, 0);
  EXPECT_EQ(stopped_, 0);
  EXPECT_THAT(outcome_, StatusIs(absl::StatusCode::kAborted));
}

TEST_P(StoppedTest, NeverEndsForWhatNobodyCalled) {
  callee_.Send<Ask>([&](Request& request) -> Task<absl::StatusOr<int>> {
    const Tracked tracked(living_);
    co_await Stopped(request.stop_token());
    ++stopped_;
    co_return 1;
  });
  executor_->RunFor(absl::Hours(24));
  EXPECT_EQ(stopped_, 0);
  callee_.Kill();
  executor_->RunUntilIdle();
  EXPECT_EQ(living_, 0);
}

TEST_P(StoppedTest, WhenAnyWaitsForItOrSomethingElse) {
  const auto gate = Spawn<Gate>();
  size_t first = 2;
  const auto ask = [&](Request& request) -> Task<absl::StatusOr<int>> {
    auto passed = gate.Call<Pass>();
    const auto any =
        co_await WhenAny(std::move(passed), Stopped(request.stop_token()));
    first = any.index();
    co_return 1;
  };
  for (const bool open : {true, false}) {
    const auto caller = Spawn();
    caller.Send<Play>(
        [&]() -> Task<void> { (void)co_await callee_.Call<Ask>(ask); });
    executor_->RunUntilIdle();
    if (open) {
      gate.Send<Open>();
    } else {
      caller.Kill();
    }
    executor_->RunUntilIdle();
    EXPECT_EQ(first, open ? 0 : 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, StoppedTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
