#include "troupe/actor/internal/held_time_executor.h"

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/post.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using testing::IsOk;

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

struct Timer : TimerNode {
  explicit Timer(absl::AnyInvocable<void()> when_due)
      : call(std::move(when_due)) {}

  absl::AnyInvocable<void()> call;
};

class CallingLocal final : public WorkerLocal {
 public:
  void Flush() override {}
  void TimerDue(TimerNode& timer) override {
    static_cast<Timer&>(timer).call();
  }
};

std::unique_ptr<HeldTimeExecutor> Create(ThreadExecutor::Options options) {
  auto executor = std::make_unique<HeldTimeExecutor>(std::move(options));
  executor->SetLocals([](Worker&) { return std::make_unique<CallingLocal>(); });
  return executor;
}

// Sets it in a turn of `worker`; returns when that is done.
void SetTimer(HeldTimeExecutor& executor, Worker& worker, Timer& timer,
              absl::Duration delay) {
  Event set;
  Post(worker, [&] {
    (void)EnterSeat();
    Worker& mine = *this_thread.worker;
    mine.SetTimer(timer, mine.now() + delay);
    LeaveSeat();
    set.Set();
  });
  ASSERT_TRUE(executor.WaitFor(set, kNoDeadline));
}

TEST(HeldTimeExecutorTest, ItsWorkersAreItsOwn) {
  const auto executor = Create({.workers = 1});
  EXPECT_EQ(&executor->shared_worker(0).executor(), executor.get());
}

TEST(HeldTimeExecutorTest, TimersFireWhenTimeHasMovedPastThem) {
  const auto executor = Create({.workers = 1});
  const absl::StatusOr<Worker*> dedicated =
      executor->StartDedicatedWorker("own");
  ASSERT_THAT(dedicated, IsOk());
  for (Worker* const worker : {&executor->shared_worker(0), *dedicated}) {
    const MonotonicTime start = executor->clock().Now();
    Event fired_first, fired_second;
    MonotonicTime at;
    Timer second([&] { fired_second.Set(); });
    Timer first([&] {
      at = this_thread.worker->now();
      fired_first.Set();
    });
    SetTimer(*executor, *worker, second, absl::Minutes(60));
    SetTimer(*executor, *worker, first, absl::Minutes(10));
    executor->Advance(absl::Minutes(9));
    executor->Advance(absl::Minutes(2));
    ASSERT_TRUE(executor->WaitFor(fired_first, kNoDeadline));
    EXPECT_EQ(at, start + absl::Minutes(11));
    EXPECT_FALSE(fired_second.IsSet());
    executor->Advance(absl::Minutes(49));
    EXPECT_TRUE(executor->WaitFor(fired_second, kNoDeadline));
  }
}

// The turns of a closure that posts itself leave the worker no time to sleep.
TEST(HeldTimeExecutorTest, TimersFireOnAWorkerThatIsBusy) {
  const auto executor = Create({.workers = 1});
  Worker& worker = executor->shared_worker(0);
  Event fired, ended;
  Timer timer([&] { fired.Set(); });
  struct Spinner {
    void Post(Worker& worker) {
      troupe::Post(worker, [this, &worker] {
        if (fired.IsSet()) return ended.Set();
        Post(worker);
      });
    }
    Event& fired;
    Event& ended;
  } spinner{fired, ended};
  SetTimer(*executor, worker, timer, absl::Minutes(10));
  spinner.Post(worker);
  executor->Advance(absl::Minutes(10));
  EXPECT_TRUE(executor->WaitFor(ended, kNoDeadline));
}

// Its worker has no thread when the time moves.
TEST(HeldTimeExecutorTest, TimersFireWhileAHandlerBlocks) {
  const auto executor = Create({.workers = 1});
  Worker& worker = executor->shared_worker(0);
  Event began, fired, ended;
  Timer timer([&] { fired.Set(); });
  SetTimer(*executor, worker, timer, absl::Minutes(10));
  Post(worker, [&] {
    began.Set();
    fired.WaitWithTimeout(absl::InfiniteDuration());
    ended.Set();
  });
  ASSERT_TRUE(executor->WaitFor(began, kNoDeadline));
  ASSERT_TRUE(
      executor->RunUntil([&] { return worker.LooksAsleep(); }, kNoDeadline));
  executor->Advance(absl::Minutes(10));
  EXPECT_TRUE(executor->WaitFor(ended, kNoDeadline));
}

TEST(HeldTimeExecutorTest, WaitsEndByTheHeldTime) {
  const auto executor = Create({.workers = 1});
  Event never;
  const MonotonicTime deadline = executor->clock().Now() + absl::Minutes(10);
  executor->Advance(absl::Minutes(10));
  EXPECT_FALSE(executor->WaitFor(never, deadline));
}

}  // namespace
}  // namespace troupe::internal
