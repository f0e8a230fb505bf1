// Timers of workers that have threads: whatever these do, a timer fires.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/ownership.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCell;
using internal::TestMessage;
using internal::TestOutbox;
using testing::IsOk;

constexpr MonotonicTime kNoDeadline = MonotonicTime::InfiniteFuture();

std::unique_ptr<ThreadExecutor> Create(ThreadExecutor::Options options) {
  absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
      ThreadExecutor::Create(std::move(options));
  EXPECT_THAT(executor, IsOk());
  (*executor)->SetLocals(TestOutbox::Make);
  return *std::move(executor);
}

// Each test ends with a shutdown: a cell may be in its last turn still when it
// has told what the test waits for.

// A cell that sets its timer when it gets a message, each time it has fired
// again, and tells when that was so many times.
class Waiter {
 public:
  Waiter(Executor& executor, absl::Duration delay, int times = 1)
      : executor_(executor), delay_(delay), left_(times) {}

  void StartOn(Worker& worker) {
    cell_.StartOn(worker);
    cell_.Send({});
  }
  // Blocks.
  void AwaitSet() { set_.WaitForNotification(); }
  bool AwaitAll() { return executor_.WaitFor(fired_, kNoDeadline); }
  Event& fired() { return fired_; }
  int early() const { return early_; }

 private:
  void Handle(const TestMessage& message) {
    const MonotonicTime now = executor_.clock().Now();
    if (message.from == TestCell::kTimer) {
      if (now < not_before_) ++early_;
      if (--left_ == 0) return fired_.Set();
    }
    not_before_ = now + delay_;
    cell_.SetTimer(not_before_);
    if (!set_.HasBeenNotified()) set_.Notify();
  }

  Executor& executor_;
  const absl::Duration delay_;
  int left_;
  int early_ = 0;
  MonotonicTime not_before_;
  absl::Notification set_;
  Event fired_;
  TestCell cell_{"waiter", [this](TestCell&, const TestMessage& message) {
                   Handle(message);
                 }};
};

TEST(ThreadExecutorTimersTest, WakeAWorkerThatSleeps) {
  const auto executor = Create({.workers = 2});
  Waiter one(*executor, absl::Milliseconds(30), 3);
  Waiter other(*executor, absl::Milliseconds(20), 3);
  one.StartOn(executor->shared_worker(0));
  other.StartOn(executor->shared_worker(1));
  EXPECT_TRUE(one.AwaitAll());
  EXPECT_TRUE(other.AwaitAll());
  EXPECT_EQ(one.early() + other.early(), 0);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// The monitor has gone to sleep, and keeps nobody's time.
TEST(ThreadExecutorTimersTest, FireWhileTheMonitorSleeps) {
  const auto executor = Create({.workers = 1});
  const auto monitor_sleeps = [&] {
    return executor->monitor_sleeps_until() == kNoDeadline;
  };
  Waiter waiter(*executor, absl::Milliseconds(300));
  waiter.StartOn(executor->shared_worker(0));
  waiter.AwaitSet();
  ASSERT_TRUE(executor->RunUntil(
      [&] { return monitor_sleeps() || waiter.fired().IsSet(); }, kNoDeadline));
  const uint64_t naps = executor->shared_worker(0).naps();
  const uint64_t wakes = executor->wakes();
  EXPECT_TRUE(waiter.AwaitAll());
  EXPECT_EQ(waiter.early(), 0);
  EXPECT_EQ(executor->wakes(), wakes);
  EXPECT_TRUE(executor->RunUntil(
      [&] { return executor->shared_worker(0).LooksAsleep(); }, kNoDeadline));
  // On the way through the wheel (TimerWheel), and to fire.
  EXPECT_LE(executor->shared_worker(0).naps(), naps + 12);
  EXPECT_TRUE(executor->RunUntil(monitor_sleeps, kNoDeadline));
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// A cell whose turns leave its worker no moment to rest, until it is told.
class BusyCell {
 public:
  explicit BusyCell(Worker& worker) {
    cell_.StartOn(worker);
    cell_.Send({});
  }
  void AwaitEnd(Executor& executor) {
    ends_.Set();
    EXPECT_TRUE(executor.WaitFor(ended_, kNoDeadline));
  }

 private:
  Event ends_, ended_;
  TestCell cell_{"busy", [this](TestCell& self, const TestMessage&) {
                   if (ends_.IsSet()) return ended_.Set();
                   self.Send({});
                 }};
};

TEST(ThreadExecutorTimersTest, FireOnAWorkerThatIsBusy) {
  // A worker that lost its thread might rest.
  const auto executor =
      Create({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  BusyCell busy(executor->shared_worker(0));
  Waiter waiter(*executor, absl::Milliseconds(5), 3);
  waiter.StartOn(executor->shared_worker(0));
  EXPECT_TRUE(waiter.AwaitAll());
  EXPECT_EQ(waiter.early(), 0);
  busy.AwaitEnd(*executor);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// The monitor, which does not look at it, has gone to sleep.
TEST(ThreadExecutorTimersTest, FireOnADedicatedWorkerThatIsBusy) {
  const auto executor = Create({.workers = 1});
  const absl::StatusOr<Worker*> worker = executor->StartDedicatedWorker("own");
  ASSERT_THAT(worker, IsOk());
  BusyCell busy(**worker);
  ASSERT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_sleeps_until() == kNoDeadline; },
      kNoDeadline));
  Waiter waiter(*executor, absl::Milliseconds(5), 3);
  waiter.StartOn(**worker);
  EXPECT_TRUE(waiter.AwaitAll());
  EXPECT_EQ(waiter.early(), 0);
  EXPECT_EQ(executor->monitor_sleeps_until(), kNoDeadline);
  busy.AwaitEnd(*executor);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

TEST(ThreadExecutorTimersTest, FireOnADedicatedWorker) {
  const auto executor = Create({.workers = 1});
  const absl::StatusOr<Worker*> worker = executor->StartDedicatedWorker("own");
  ASSERT_THAT(worker, IsOk());
  Waiter waiter(*executor, absl::Milliseconds(20), 3);
  waiter.StartOn(**worker);
  EXPECT_TRUE(waiter.AwaitAll());
  EXPECT_EQ(waiter.early(), 0);
  EXPECT_TRUE(executor->RunUntil([&] { return (*worker)->LooksAsleep(); },
                                 kNoDeadline));
  executor->ReleaseDedicatedWorker(**worker);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// A handler of the same worker returns only once the timers have fired: if they
// waited for it, the test would hang. Set before and while it blocks.
TEST(ThreadExecutorTimersTest, FireWhileAHandlerBlocks) {
  const auto executor = Create({.workers = 1});
  Worker& worker = executor->shared_worker(0);
  Waiter before(*executor, absl::Milliseconds(20), 3);
  Waiter meanwhile(*executor, absl::Milliseconds(20), 3);
  before.StartOn(worker);
  before.AwaitSet();
  Event returned;
  absl::Notification began;
  TestCell blocker("blocker", [&](TestCell&, const TestMessage&) {
    began.Notify();
    before.fired().WaitWithTimeout(absl::InfiniteDuration());
    meanwhile.fired().WaitWithTimeout(absl::InfiniteDuration());
    returned.Set();
  });
  blocker.StartOn(worker);
  blocker.Send({});
  began.WaitForNotification();
  EXPECT_TRUE(before.AwaitAll());
  meanwhile.StartOn(worker);
  EXPECT_TRUE(executor->WaitFor(returned, kNoDeadline));
  EXPECT_EQ(before.early() + meanwhile.early(), 0);
  EXPECT_GE(executor->take_overs(), 1u);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// All have slept for long, so that nobody looks at turns, when a timer begins
// the one that blocks.
TEST(ThreadExecutorTimersTest, FireWhileAHandlerBlocksThatATimerWoke) {
  const auto executor = Create({.workers = 1});
  Worker& worker = executor->shared_worker(0);
  Waiter other(*executor, absl::Milliseconds(320));
  Event returned;
  absl::Notification set;
  TestCell blocker("blocker", [&](TestCell& self, const TestMessage& message) {
    if (message.from == TestCell::kTimer) {
      other.fired().WaitWithTimeout(absl::InfiniteDuration());
      return returned.Set();
    }
    self.SetTimer(executor->clock().Now() + absl::Milliseconds(300));
    set.Notify();
  });
  blocker.StartOn(worker);
  blocker.Send({});
  set.WaitForNotification();
  other.StartOn(worker);
  EXPECT_TRUE(executor->WaitFor(returned, kNoDeadline));
  EXPECT_EQ(other.early(), 0);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// The worker falls asleep without a thread, which somebody has to find it when
// its timer is due.
TEST(ThreadExecutorTimersTest, FireWhereASeatWasGivenUp) {
  const auto executor =
      Create({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  Worker& worker = executor->shared_worker(0);
  Waiter waiter(*executor, absl::Milliseconds(20), 3);
  waiter.StartOn(worker);
  waiter.AwaitSet();
  Event returned;
  TestCell blocker("blocker", [&](TestCell&, const TestMessage&) {
    executor->GiveUpSeat();
    waiter.fired().WaitWithTimeout(absl::InfiniteDuration());
    returned.Set();
  });
  blocker.StartOn(worker);
  blocker.Send({});
  EXPECT_TRUE(executor->WaitFor(returned, kNoDeadline));
  EXPECT_EQ(waiter.early(), 0);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// What a handler without its seat wants of its timer is done when it returns.
TEST(ThreadExecutorTimersTest, AreSetByAHandlerThatLostItsSeat) {
  const auto executor =
      Create({.workers = 1, .take_over_after = absl::InfiniteDuration()});
  Event fired;
  bool was_lost = false;
  TestCell cell("cell", [&](TestCell& self, const TestMessage& message) {
    if (message.from == TestCell::kTimer) return fired.Set();
    executor->GiveUpSeat();
    was_lost = this_thread.seat.tag() == OwnerTag::kNoSeat;
    self.SetTimer(executor->clock().Now() + absl::Milliseconds(1));
  });
  cell.StartOn(executor->shared_worker(0));
  cell.Send({});
  EXPECT_TRUE(executor->WaitFor(fired, kNoDeadline));
  EXPECT_TRUE(was_lost);
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// Its time has gone by when the worker begins its turn.
TEST(ThreadExecutorTimersTest, TellTheTimeToTurns) {
  const auto executor = Create({.workers = 1});
  Event ran;
  MonotonicTime seen;
  TestCell cell("cell", [&](TestCell&, const TestMessage&) {
    (void)EnterSeat();
    seen = this_thread.worker->now();
    LeaveSeat();
    ran.Set();
  });
  cell.StartOn(executor->shared_worker(0));
  ASSERT_TRUE(executor->RunUntil(
      [&] { return executor->monitor_sleeps_until() == kNoDeadline; },
      kNoDeadline));
  const MonotonicTime sent = executor->clock().Now();
  cell.Send({});
  ASSERT_TRUE(executor->WaitFor(ran, kNoDeadline));
  // Woken by the message, after it was sent.
  EXPECT_GE(seen, sent);
  EXPECT_LE(seen, executor->clock().Now());
  EXPECT_THAT(executor->Shutdown(), IsOk());
}

// A shutdown waits for turns that are on their way, not for timers.
TEST(ThreadExecutorTimersTest, AreCancelledByTurnsThatAShutdownAwaits) {
  const auto executor = Create({.workers = 2});
  std::vector<std::unique_ptr<TestCell>> cells;
  absl::BlockingCounter set(8);
  for (int i = 0; i < 8; ++i) {
    cells.push_back(std::make_unique<TestCell>(
        "cell", [&](TestCell& self, const TestMessage& message) {
          if (message.value == 1) return self.CancelTimer();
          self.SetTimer(executor->clock().Now() + absl::Hours(1));
          set.DecrementCount();
        }));
    cells[i]->Start(*executor);
    cells[i]->Send({});
  }
  set.Wait();
  for (const auto& cell : cells) cell->Send({.value = 1});
  EXPECT_THAT(executor->Shutdown(), IsOk());
  // Else the end of a worker fails.
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(executor->shared_worker(i).HasTimers());
  }
}

}  // namespace
}  // namespace troupe
