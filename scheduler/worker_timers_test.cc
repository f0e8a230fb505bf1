// Timers of one worker, step by step.
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/internal/coarse_time.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/internal/worker_testing.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr MonotonicTime kNever = MonotonicTime::InfiniteFuture();

MonotonicTime At(double milliseconds) {
  return MonotonicTime::FromNanoseconds(std::llround(milliseconds * 1e6));
}

struct NamedTimer : TimerNode {
  explicit NamedTimer(std::string its_name) : name(std::move(its_name)) {}

  const std::string name;
};

// Notes which timers have fired.
class NotingLocal final : public WorkerLocal {
 public:
  explicit NotingLocal(std::vector<std::string>& notes) : notes_(notes) {}

  void Flush() override {}
  void TimerDue(TimerNode& timer) override {
    NamedTimer& named = static_cast<NamedTimer&>(timer);
    notes_.push_back(named.name);
    if (when_due != nullptr) when_due(named);
  }

  absl::AnyInvocable<void(NamedTimer&)> when_due;

 private:
  std::vector<std::string>& notes_;
};

// A worker whose time stands still until the test moves it.
class WorkerTimersTest : public ::testing::Test {
 protected:
  WorkerTimersTest() : worker_(MakeWorker(executor_)) {
    auto local = std::make_unique<NotingLocal>(notes_);
    local_ = local.get();
    worker_->set_local(std::move(local));
  }

  // Moves the clock, and returns what the worker, which looks then, fires.
  std::vector<std::string> FiredAt(double milliseconds) {
    executor_.held_clock.AdvanceTo(At(milliseconds));
    notes_.clear();
    if (worker_->TimersLookDue()) worker_->FireTimers();
    return notes_;
  }

  IdleExecutor executor_;
  std::vector<std::string> notes_;
  std::unique_ptr<Worker> worker_;
  NotingLocal* local_;
};

TEST_F(WorkerTimersTest, FiresInTheFirstLookAtItsTime) {
  NamedTimer timer("timer");
  worker_->SetTimer(timer, At(3));
  EXPECT_TRUE(timer.pending());
  EXPECT_THAT(FiredAt(2.999), IsEmpty());
  EXPECT_THAT(FiredAt(3), ElementsAre("timer"));
  EXPECT_FALSE(timer.pending());
  EXPECT_THAT(FiredAt(100), IsEmpty());
}

TEST_F(WorkerTimersTest, RoundsUpToTheNextMillisecond) {
  NamedTimer timer("timer");
  worker_->SetTimer(timer, At(3.000001));
  EXPECT_THAT(FiredAt(3.9), IsEmpty());
  EXPECT_THAT(FiredAt(4), ElementsAre("timer"));
}

TEST_F(WorkerTimersTest, FiresInTheOrderOfTheirTimes) {
  NamedTimer a("a"), b("b"), c("c"), d("d");
  worker_->SetTimer(c, At(7000));
  worker_->SetTimer(a, At(2));
  worker_->SetTimer(d, At(7000));
  worker_->SetTimer(b, At(300));
  EXPECT_THAT(FiredAt(10'000), ElementsAre("a", "b", "c", "d"));
}

TEST_F(WorkerTimersTest, WhatHasPassedFiresInTheNextLook) {
  executor_.held_clock.AdvanceTo(At(50));
  NamedTimer past("past"), longer_past("longer past");
  worker_->SetTimer(past, At(49));
  worker_->SetTimer(longer_past, MonotonicTime::InfinitePast());
  EXPECT_THAT(FiredAt(50), ElementsAre("longer past", "past"));
}

TEST_F(WorkerTimersTest, WhatIsCancelledDoesNotFire) {
  NamedTimer timer("timer"), other("other");
  worker_->SetTimer(timer, At(3));
  worker_->SetTimer(other, At(4));
  EXPECT_TRUE(worker_->CancelTimer(timer));
  EXPECT_FALSE(timer.pending());
  EXPECT_FALSE(worker_->CancelTimer(timer));
  EXPECT_THAT(FiredAt(10), ElementsAre("other"));
  EXPECT_FALSE(worker_->CancelTimer(other));
}

TEST_F(WorkerTimersTest, WhatIsSetAnewMoves) {
  NamedTimer later("later"), earlier("earlier");
  worker_->SetTimer(later, At(3));
  worker_->SetTimer(later, At(9));
  worker_->SetTimer(earlier, At(9000));
  worker_->SetTimer(earlier, At(5));
  EXPECT_THAT(FiredAt(8), ElementsAre("earlier"));
  EXPECT_THAT(FiredAt(9), ElementsAre("later"));
  EXPECT_FALSE(worker_->HasTimers());
}

TEST_F(WorkerTimersTest, TheInfiniteFutureNeverComes) {
  NamedTimer timer("timer");
  worker_->SetTimer(timer, kNever);
  EXPECT_TRUE(timer.pending());
  EXPECT_EQ(worker_->NextTimer(), kNever);
  EXPECT_THAT(FiredAt(1e12), IsEmpty());
  EXPECT_TRUE(worker_->CancelTimer(timer));
}

TEST_F(WorkerTimersTest, MaySetItselfAndCancelOthersWhenDue) {
  NamedTimer periodic("periodic"), victim("victim");
  local_->when_due = [&](NamedTimer& timer) {
    worker_->SetTimer(timer, worker_->now() + absl::Milliseconds(10));
    worker_->CancelTimer(victim);
  };
  worker_->SetTimer(periodic, At(10));
  worker_->SetTimer(victim, At(10));
  EXPECT_THAT(FiredAt(10), ElementsAre("periodic"));
  EXPECT_THAT(FiredAt(19), IsEmpty());
  EXPECT_THAT(FiredAt(20), ElementsAre("periodic"));
  EXPECT_TRUE(worker_->CancelTimer(periodic));
}

// However long a worker has not looked, it has not lost count.
TEST_F(WorkerTimersTest, FiresInTimeAfterALongTimeWithoutTimers) {
  EXPECT_THAT(FiredAt(3.6e9), IsEmpty());
  NamedTimer timer("timer");
  worker_->SetTimer(timer, At(3.6e9 + 30));
  EXPECT_THAT(FiredAt(3.6e9 + 29), IsEmpty());
  EXPECT_THAT(FiredAt(3.6e9 + 30), ElementsAre("timer"));
}

// As a worker that sleeps until its next timer does.
TEST_F(WorkerTimersTest, NextTimerLeadsToItWithFewLooksInVain) {
  NamedTimer timer("timer");
  worker_->SetTimer(timer, At(1e9));
  int looks = 0;
  while (timer.pending()) {
    const MonotonicTime next = worker_->NextTimer();
    ASSERT_LE(next, At(1e9));
    ASSERT_GT(next, executor_.held_clock.Now());
    executor_.held_clock.AdvanceTo(next);
    worker_->FireTimers();
    ++looks;
  }
  EXPECT_EQ(executor_.held_clock.Now(), At(1e9));
  EXPECT_LE(looks, 11);
  EXPECT_EQ(worker_->NextTimer(), kNever);
}

TEST_F(WorkerTimersTest, WithoutTimersNothingIsDue) {
  EXPECT_FALSE(worker_->TimersLookDue());
  NamedTimer timer("timer");
  worker_->SetTimer(timer, At(5));
  EXPECT_TRUE(worker_->CancelTimer(timer));
  // The first look finds out, once.
  EXPECT_THAT(FiredAt(1), IsEmpty());
  EXPECT_FALSE(worker_->TimersLookDue());
}

// ---- by a time that somebody else keeps

class CoarseWorkerTimersTest : public WorkerTimersTest {
 protected:
  CoarseWorkerTimersTest() { worker_->set_coarse_time(time_); }

  CoarseTime time_;
};

TEST_F(CoarseWorkerTimersTest, LooksOnlyWhenTheTimeHasCome) {
  NamedTimer timer("timer");
  worker_->SetTimer(timer, At(3));
  time_.Set(At(2.9));
  EXPECT_FALSE(worker_->TimersLookDue());
  time_.Set(At(3.5));
  EXPECT_EQ(worker_->now(), At(3.5));
  EXPECT_TRUE(worker_->TimersLookDue());
  worker_->FireTimers();
  EXPECT_THAT(notes_, ElementsAre("timer"));
  EXPECT_FALSE(worker_->TimersLookDue());
}

// Nobody keeps the time while all sleep.
TEST_F(CoarseWorkerTimersTest, FiresByItsOwnReadingAfterASleep) {
  NamedTimer timer("timer"), later("later");
  worker_->SetTimer(timer, At(70));
  worker_->SetTimer(later, At(90));
  worker_->NoteTime(At(69.9));
  EXPECT_FALSE(worker_->TimersLookDue());
  EXPECT_EQ(worker_->now(), At(69.9));
  worker_->NoteTime(At(70.1));
  ASSERT_TRUE(worker_->TimersLookDue());
  worker_->FireTimers();
  EXPECT_THAT(notes_, ElementsAre("timer"));
  EXPECT_FALSE(worker_->TimersLookDue());
  EXPECT_TRUE(worker_->CancelTimer(later));
}

TEST_F(CoarseWorkerTimersTest, TimeDoesNotGoBack) {
  worker_->NoteTime(At(70));
  time_.Set(At(60));
  EXPECT_EQ(worker_->now(), At(70));
  worker_->NoteTime(At(65));
  EXPECT_EQ(worker_->now(), At(70));
  time_.Set(At(71));
  EXPECT_EQ(worker_->now(), At(71));
}

// ---- timers of what moves

// A cell that notes the ticks of its timer, and two workers.
class MovingTimerTest : public ::testing::Test {
 protected:
  MovingTimerTest()
      : one_(MakeWorker(executor_)), other_(MakeWorker(executor_)) {
    one_->set_local(TestOutbox::Make(*one_));
    other_->set_local(TestOutbox::Make(*other_));
    cell_.StartOn(*one_);
    RunAll(*one_);
  }
  // The cell's timer must not outlive it.
  ~MovingTimerTest() override { EXPECT_FALSE(HasTimers()); }

  // From outside of all workers.
  void SetTimer(MonotonicTime time) {
    wanted_ = time;
    cell_.Send({});
  }
  bool HasTimers() const { return one_->HasTimers() || other_->HasTimers(); }
  void FireAt(Worker& worker, double milliseconds) {
    executor_.held_clock.AdvanceTo(At(milliseconds));
    worker.FireTimers();
    RunAll(worker);
  }

  IdleExecutor executor_;
  std::unique_ptr<Worker> one_, other_;
  MonotonicTime wanted_;
  std::vector<uint64_t> fired_;
  TestCell cell_{"cell", [this](TestCell& self, const TestMessage& message) {
                   if (message.from == TestCell::kTimer) {
                     fired_.push_back(message.sequence);
                   } else {
                     self.SetTimer(wanted_);
                   }
                 }};
};

TEST_F(MovingTimerTest, GoesAlongWithAHandOver) {
  SetTimer(At(30));
  RunAll(*one_);
  {
    const Seated seated(*one_);
    ASSERT_TRUE(cell_.type->release(cell_, *one_));
    one_->GiveTo(*other_, cell_);
  }
  EXPECT_FALSE(HasTimers());
  RunAll(*other_);
  EXPECT_FALSE(one_->HasTimers());
  EXPECT_TRUE(other_->HasTimers());
  FireAt(*other_, 29);
  EXPECT_THAT(fired_, IsEmpty());
  FireAt(*other_, 30);
  EXPECT_THAT(fired_, ElementsAre(30));
}

TEST_F(MovingTimerTest, GoesAlongWithAClaim) {
  TestCell sender("sender",
                  [this](TestCell&, const TestMessage&) { cell_.Send({}); });
  sender.StartOn(*other_);
  RunAll(*other_);
  SetTimer(At(30));
  RunAll(*one_);
  Sleep(*one_);
  wanted_ = At(40);
  sender.Send({});
  RunAll(*other_);
  EXPECT_TRUE(one_->LooksAsleep());
  EXPECT_FALSE(one_->HasTimers());
  ASSERT_TRUE(other_->HasTimers());
  // Its old worker wakes in vain.
  ASSERT_TRUE(one_->Rise());
  FireAt(*one_, 30);
  EXPECT_THAT(fired_, IsEmpty());
  FireAt(*other_, 40);
  EXPECT_THAT(fired_, ElementsAre(40));
}

TEST_F(MovingTimerTest, StaysWhereACellIsThatCannotBeGiven) {
  SetTimer(At(30));
  RunAll(*one_);
  cell_.Send({});  // Its token is on its way to the worker.
  {
    const Seated seated(*one_);
    EXPECT_FALSE(cell_.type->release(cell_, *one_));
  }
  EXPECT_TRUE(one_->HasTimers());
  RunAll(*one_);
  FireAt(*one_, 30);
  EXPECT_THAT(fired_, ElementsAre(30));
}

TEST(WorkerDeathTest, EndsWithoutPendingTimers) {
  IdleExecutor executor;
  std::vector<std::string> notes;
  NamedTimer timer("timer");
  auto worker = MakeWorker(executor);
  worker->SetTimer(timer, At(3));
  EXPECT_DEATH(worker.reset(), "timers are pending");
  worker->CancelTimer(timer);
}

}  // namespace
}  // namespace troupe::internal
