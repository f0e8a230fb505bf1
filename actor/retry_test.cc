// Calls that are repeated; clauses 20, 22 and 24.
#include "troupe/actor/retry.h"

#include <algorithm>
#include <cstdint>
#include <functional>
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
#include "troupe/actor/actor_system.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::troupe::testing::IsOkAndHolds;
using ::troupe::testing::StatusIs;

// Counts its copies.
struct Try {
  explicit Try(int& copies) : copies(copies) {}
  Try(const Try& other) : copies(other.copies) { ++copies; }
  Try(Try&&) = default;
  int& copies;
  using Reply = int;
};

// What the test wants of an attempt; nothing: it is never answered.
using Answers = std::function<std::optional<absl::StatusOr<int>>(int attempt)>;

class Target : public Actor<Try> {
 public:
  Target(Answers answers, std::vector<MonotonicTime>& seen)
      : answers_(std::move(answers)), seen_(seen) {}
  void Handle(Try, ReplyTo<int> reply) {
    seen_.push_back(system().executor().clock().Now());
    const auto answer = answers_(static_cast<int>(seen_.size()));
    if (answer.has_value()) {
      reply.Send(*answer);
    } else {
      kept_.push_back(std::move(reply));
    }
  }

 private:
  const Answers answers_;
  std::vector<MonotonicTime>& seen_;
  std::vector<ReplyTo<int>> kept_;
};

// In a Task, or on a plain thread.
enum class Way { kTask, kThread };
constexpr Way kWays[] = {Way::kTask, Way::kThread};

class RetryTest : public CallsTest {
 protected:
  Target::Ref SpawnTarget(Answers answers) {
    seen_.clear();
    return system_->Spawn<Target>(std::move(answers), seen_).value();
  }
  absl::StatusOr<int> Call(Way way, const ActorRef<Try>& target,
                           RetryOptions options,
                           absl::Duration timeout = absl::Minutes(1)) {
    copies_ = 0;
    if (way == Way::kThread) {
      return target.Call<Try>(copies_).Within(timeout).Retry(options).Wait();
    }
    absl::StatusOr<int> outcome = absl::UnknownError("not over");
    script_.Send<Play>([&]() -> Task<void> {
      outcome =
          co_await target.Call<Try>(copies_).Retry(options).Within(timeout);
    });
    executor_->RunFor(2 * timeout);
    return outcome;
  }
  // Between one attempt and the next.
  std::vector<absl::Duration> Pauses() const {
    std::vector<absl::Duration> pauses;
    for (size_t i = 1; i < seen_.size(); ++i) {
      pauses.push_back(seen_[i] - seen_[i - 1]);
    }
    return pauses;
  }

  static constexpr RetryOptions kIfUnavailable = {
      .attempts = 6,
      .backoff = {.initial = absl::Milliseconds(10),
                  .max = absl::Milliseconds(50),
                  .jitter = 0},
      .when = [](const absl::Status& failure) {
        return failure.code() == absl::StatusCode::kUnavailable;
      }};

  std::vector<MonotonicTime> seen_;
  int copies_ = 0;
  Script::Ref script_ = Spawn();
};

// Handles nothing else for 100 ms.
struct Stay {};
class Busy : public Actor<Stay, Try> {
 public:
  Task<void> Handle(Stay) {
    const bool slept = co_await Sleep(absl::Milliseconds(100));
    EXPECT_TRUE(slept);
  }
  int Handle(Try) { return 3; }
};

TEST_P(RetryTest, RepeatsWhatAFullMailboxRefused) {
  for (const Way way : kWays) {
    const SpawnOptions bounded = {
        .mailbox = {.messages = 1, .policy = OverflowPolicy::kReject}};
    const auto busy = system_->Spawn<Busy>(bounded).value();
    busy.Send<Stay>();
    executor_->RunUntilIdle();
    busy.Send<Stay>();  // Fills the mailbox.
    const absl::StatusOr<int> once = busy.Call<Try>(copies_).Wait();
    ASSERT_THAT(once, StatusIs(absl::StatusCode::kResourceExhausted));
    EXPECT_THAT(Call(way, busy, {.attempts = 100}), IsOkAndHolds(3));
    EXPECT_GT(copies_, 2);
  }
}

TEST_P(RetryTest, AnswersAreNotRepeated) {
  for (const Way way : kWays) {
    const auto target = SpawnTarget(
        [](int) { return absl::StatusOr<int>(absl::UnavailableError("")); });
    EXPECT_THAT(Call(way, target, {.also_unknown = true}),
                StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(seen_, SizeIs(1));
  }
}

TEST_P(RetryTest, WhenDecidesOfAnswersToo) {
  for (const Way way : kWays) {
    const auto target = SpawnTarget([](int attempt) -> absl::StatusOr<int> {
      if (attempt < 3) return absl::UnavailableError("");
      return absl::InternalError("of the third");
    });
    EXPECT_THAT(Call(way, target, kIfUnavailable),
                StatusIs(absl::StatusCode::kInternal, "of the third"));
    EXPECT_THAT(seen_, SizeIs(3));
  }
}

TEST_P(RetryTest, WhatMayHaveRunIsRepeatedOnlyIfAllowed) {
  for (const Way way : kWays) {
    for (const bool allowed : {false, true}) {
      const auto target = SpawnTarget([](int) { return std::nullopt; });
      const absl::StatusOr<int> outcome =
          Call(way, target,
               {.attempts = 3,
                .attempt_timeout = absl::Milliseconds(20),
                .also_unknown = allowed});
      EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kDeadlineExceeded));
      EXPECT_EQ(Delivery(outcome), DeliveryState::kUnknown);
      EXPECT_THAT(seen_, SizeIs(allowed ? 3 : 1));
    }
  }
}

TEST_P(RetryTest, EndedActorIsNotAskedAgain) {
  for (const Way way : kWays) {
    const auto target = SpawnTarget([](int) { return std::nullopt; });
    ASSERT_TRUE(target.StopAndWait().ok());
    EXPECT_THAT(Call(way, target, {.attempts = 3}),
                StatusIs(absl::StatusCode::kNotFound));
    EXPECT_EQ(copies_, 1);  // For the one attempt.
  }
}

// The third one is not delivered; the second one may have been handled.
TEST_P(RetryTest, EarlierAttemptThatMayHaveRunIsNotForgotten) {
  for (const Way way : kWays) {
    Target::Ref target;
    target = SpawnTarget([&](int attempt) {
      if (attempt == 2) target.Stop();
      return std::nullopt;
    });
    const absl::StatusOr<int> outcome =
        Call(way, target,
             {.attempts = 3,
              .attempt_timeout = absl::Milliseconds(20),
              .also_unknown = true,
              .when = [](const absl::Status&) { return true; }});
    EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kNotFound));
    EXPECT_EQ(Delivery(outcome), DeliveryState::kUnknown);
    EXPECT_THAT(seen_, SizeIs(2));
  }
}

TEST_P(RetryTest, PausesGrowUpToTheLimit) {
  for (const Way way : kWays) {
    const auto target = SpawnTarget(
        [](int) { return absl::StatusOr<int>(absl::UnavailableError("")); });
    EXPECT_THAT(Call(way, target, kIfUnavailable),
                StatusIs(absl::StatusCode::kUnavailable));
    const std::vector<absl::Duration> pauses = Pauses();
    ASSERT_THAT(pauses, SizeIs(5));
    for (size_t i = 0; i < pauses.size(); ++i) {
      const auto expected = absl::Milliseconds(std::min(10 << i, 50));
      EXPECT_GE(pauses[i], expected);
      EXPECT_LE(pauses[i], expected + absl::Milliseconds(2));
    }
  }
}

TEST_P(RetryTest, JitterIsBoundedAndReplayed) {
  RetryOptions options = kIfUnavailable;
  options.backoff = {
      .initial = absl::Milliseconds(100), .factor = 1, .jitter = 0.5};
  const auto run = [&](uint64_t seed) {
    std::vector<MonotonicTime> seen;
    const auto system =
        ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                  DeterministicExecutor::Options{.seed = seed}),
                              {});
    const auto target =
        system
            ->Spawn<Target>(
                [](int) {
                  return absl::StatusOr<int>(absl::UnavailableError(""));
                },
                std::ref(seen))
            .value();
    (void)target.Call<Try>(copies_).Retry(options).Wait();
    return seen;
  };
  seen_ = run(GetParam());
  EXPECT_EQ(run(GetParam()), seen_);
  EXPECT_NE(run(GetParam() + 1), seen_);
  ASSERT_THAT(seen_, SizeIs(6));
  for (const absl::Duration pause : Pauses()) {
    EXPECT_GE(pause, absl::Milliseconds(50));
    EXPECT_LE(pause, absl::Milliseconds(152));
  }
}

TEST_P(RetryTest, DeadlineIsForAllAttempts) {
  RetryOptions options = kIfUnavailable;
  options.attempts = 1000;
  for (const Way way : kWays) {
    const auto target = SpawnTarget(
        [](int) { return absl::StatusOr<int>(absl::UnavailableError("")); });
    EXPECT_THAT(Call(way, target, options, absl::Milliseconds(200)),
                StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_LE(seen_.back() - seen_.front(), absl::Milliseconds(200));
    // After 10, 20, 40, 50 and 50 ms.
    EXPECT_THAT(seen_, SizeIs(6));
  }
}

TEST_P(RetryTest, LastAttemptTakesTheMessageItself) {
  for (const Way way : kWays) {
    for (const int attempts : {-1, 1, 3}) {
      RetryOptions options = kIfUnavailable;
      options.attempts = attempts;
      const auto target = SpawnTarget(
          [](int) { return absl::StatusOr<int>(absl::UnavailableError("")); });
      EXPECT_THAT(Call(way, target, options),
                  StatusIs(absl::StatusCode::kUnavailable));
      EXPECT_EQ(copies_, attempts == 3 ? 2 : 0);
    }
  }
}

TEST_P(RetryTest, WaitInAHandlerIsRefusedOnce) {
  const auto target = SpawnTarget([](int) { return std::nullopt; });
  absl::StatusOr<int> outcome = 0;
  script_.Send<Do>(
      [&] { outcome = target.Call<Try>(copies_).Retry({}).Wait(); });
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kFailedPrecondition,
                                HasSubstr("block its worker")));
}

// §23: also in a pause.
TEST_P(RetryTest, GivenUpItMakesNoMoreAttempts) {
  const auto target = SpawnTarget(
      [](int) { return absl::StatusOr<int>(absl::UnavailableError("")); });
  const auto caller = Spawn();
  RetryOptions options = kIfUnavailable;
  options.backoff.initial = options.backoff.max = absl::Seconds(1);
  absl::StatusOr<int> outcome = 0;
  const auto ask = [&](Request&) -> Task<absl::StatusOr<int>> {
    outcome = co_await target.Call<Try>(copies_).Retry(options);
    co_return outcome;
  };
  caller.Send<Play>([&]() -> Task<void> {
    (void)co_await script_.Call<Ask>(ask).Within(absl::Hours(1));
  });
  executor_->RunFor(absl::Milliseconds(1500));
  EXPECT_THAT(seen_, SizeIs(2));
  caller.Kill();
  executor_->RunUntilIdle();
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kUnavailable));
  executor_->RunFor(absl::Seconds(10));
  EXPECT_THAT(seen_, SizeIs(2));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RetryTest, SomeSeeds());

}  // namespace
}  // namespace troupe::internal
