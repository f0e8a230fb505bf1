#include "troupe/scheduler/executor.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using testing::IsOk;
using ::testing::SizeIs;

// Runs `body` in one turn.
struct OneTurn : Runnable {
  explicit OneTurn(absl::AnyInvocable<void()> to_run)
      : body(std::move(to_run)) {
    type = &kType;
  }

  static bool Run(Runnable& runnable, Worker&) {
    runnable.queue_next = nullptr;
    static_cast<OneTurn&>(runnable).body();
    return true;
  }
  static const RunnableType kType;

  absl::AnyInvocable<void()> body;
};

const RunnableType OneTurn::kType = {
    .run = Run,
    .woken = [](Runnable&, Worker&) { return true; },
    .returned = [](Runnable&, Worker&) { return false; },
    .release = [](Runnable&, Worker&) { return true; },
    .name = [](const Runnable&) { return std::string("one turn"); },
};

enum class Which { kThreads, kDeterministic };

class EitherExecutorTest : public ::testing::TestWithParam<Which> {
 protected:
  void SetUp() override {
    if (GetParam() == Which::kDeterministic) {
      executor_ = std::make_unique<DeterministicExecutor>(
          DeterministicExecutor::Options{.workers = 3});
      return;
    }
    absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
        ThreadExecutor::Create({.workers = 3});
    ASSERT_THAT(executor, IsOk());
    executor_ = *std::move(executor);
  }

  std::unique_ptr<Executor> executor_;
};

TEST_P(EitherExecutorTest, RunsWhatIsInjected) {
  Event ran;
  OneTurn runnable([&ran] { ran.Set(); });
  executor_->Inject(runnable);
  EXPECT_TRUE(executor_->WaitFor(ran, MonotonicTime::InfiniteFuture()));
  EXPECT_THAT(executor_->Shutdown(), IsOk());
}

TEST_P(EitherExecutorTest, SeedsDiffer) {
  EXPECT_NE(executor_->NewSeed(), executor_->NewSeed());
}

TEST(DeterministicExecutorTest, ItsSeedDecidesTheSeedsItGives) {
  const auto seed_of = [](uint64_t seed) {
    DeterministicExecutor executor({.seed = seed});
    return executor.NewSeed();
  };
  EXPECT_EQ(seed_of(1), seed_of(1));
  EXPECT_NE(seed_of(1), seed_of(2));
}

TEST(DeterministicExecutorTest, TellsOfEachStepThatIsPlayed) {
  uint64_t told = 0;
  DeterministicExecutor executor(
      {.lost_seat_probability = 0, .after_step = [&told] { ++told; }});
  Event last;
  for (int i = 0; i < 10; ++i) Post(executor, [] {});
  EXPECT_TRUE(executor.Step());
  EXPECT_EQ(told, 1u);
  executor.RunUntilIdle();
  EXPECT_EQ(told, executor.steps());
  EXPECT_FALSE(executor.Step());
  EXPECT_EQ(told, executor.steps());

  Post(executor, [&last] { last.Set(); });
  EXPECT_TRUE(executor.WaitFor(last, MonotonicTime::InfiniteFuture()));
  EXPECT_EQ(told, executor.steps());
}

TEST(DeterministicExecutorTest, TellsOfNoStepInTheMidstOfATurn) {
  uint64_t told = 0;
  int turns_begun = 0;
  int turns_nested = 0;
  bool told_in_turn = false;
  DeterministicExecutor executor({.after_step = [&] {
    ++told;
    told_in_turn |= turns_begun > 0;
  }});
  for (int i = 0; i < 100; ++i) {
    Post(executor, [&] {
      if (turns_begun++ > 0) ++turns_nested;
      executor.GiveUpSeat();  // Others run meanwhile.
      --turns_begun;
    });
  }
  executor.RunUntilIdle();
  EXPECT_GT(turns_nested, 0);
  EXPECT_FALSE(told_in_turn);
  EXPECT_GT(told, 0u);
  EXPECT_LT(told, executor.steps());
}

TEST(DeterministicExecutorTest, TellsWhatWillRun) {
  std::vector<const Runnable*> told;
  std::vector<const Runnable*> ran;
  DeterministicExecutor executor(
      {.hand_over_probability = 0,
       .before_turn = [&](const Runnable& next) { told.push_back(&next); }});
  std::deque<OneTurn> runnables;
  for (int i = 0; i < 20; ++i) {
    runnables.emplace_back(
        [&ran, &runnables, i] { ran.push_back(&runnables[i]); });
    executor.Inject(runnables.back());
  }
  executor.RunUntilIdle();
  EXPECT_THAT(ran, SizeIs(20));
  EXPECT_EQ(told, ran);
}

// The course of 20 closures, where `choose` decides in the place of `seed`.
struct Course {
  std::vector<int> order;
  std::vector<uint32_t> taken;
};
Course CourseOf(
    uint64_t seed,
    std::function<uint32_t(uint32_t alternatives, uint32_t drawn)> choose) {
  using Choice = DeterministicExecutor::Choice;
  Course course;
  DeterministicExecutor executor(
      {.seed = seed,
       .workers = 3,
       .choose = [&](Choice, uint32_t alternatives, uint32_t drawn) {
         EXPECT_GE(alternatives, 2u);
         EXPECT_LT(drawn, alternatives);
         course.taken.push_back(choose(alternatives, drawn));
         return course.taken.back();
       }});
  for (int i = 0; i < 20; ++i) {
    Post(executor, [&course, &executor, i] {
      executor.GiveUpSeat();
      course.order.push_back(i);
    });
  }
  executor.RunUntilIdle();
  EXPECT_THAT(course.order, SizeIs(20));
  return course;
}

TEST(DeterministicExecutorTest, WhatWasChosenCanBeChosenAgain) {
  const auto as_drawn = [](uint32_t, uint32_t drawn) { return drawn; };
  const Course first = CourseOf(1, as_drawn);
  EXPECT_NE(CourseOf(2, as_drawn).order, first.order);
  // The seed does not matter any more.
  size_t next = 0;
  const Course again =
      CourseOf(2, [&](uint32_t, uint32_t) { return first.taken[next++]; });
  EXPECT_EQ(again.order, first.order);
  EXPECT_EQ(next, first.taken.size());
}

TEST(DeterministicExecutorTest, PlainChoicesGiveAPlainCourse) {
  std::vector<int> in_order(20);
  std::iota(in_order.begin(), in_order.end(), 0);
  EXPECT_EQ(CourseOf(1, [](uint32_t, uint32_t) { return 0; }).order, in_order);
  EXPECT_NE(CourseOf(1, [](uint32_t, uint32_t drawn) { return drawn; }).order,
            in_order);
}

TEST(DeterministicExecutorTest, WhatIsChosenDecidesNoSeed) {
  using Choice = DeterministicExecutor::Choice;
  const auto seed_after = [](int hand_overs) {
    DeterministicExecutor executor(
        {.choose = [left = hand_overs](Choice choice, uint32_t,
                                       uint32_t) mutable {
          return choice == Choice::kHandOver && left-- > 0 ? 1 : 0;
        }});
    for (int i = 0; i < 20; ++i) Post(executor, [] {});
    executor.RunUntilIdle();
    return std::pair(executor.steps(), executor.NewSeed());
  };
  EXPECT_EQ(seed_after(0).first, 20u);
  EXPECT_EQ(seed_after(5).first, 25u);
  EXPECT_EQ(seed_after(0).second, seed_after(5).second);
}

INSTANTIATE_TEST_SUITE_P(Executors, EitherExecutorTest,
                         ::testing::Values(Which::kThreads,
                                           Which::kDeterministic),
                         [](const auto& info) {
                           return info.param == Which::kThreads
                                      ? "Threads"
                                      : "Deterministic";
                         });

}  // namespace
}  // namespace troupe
