#include "troupe/scheduler/executor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/runnable.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using testing::IsOk;

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
