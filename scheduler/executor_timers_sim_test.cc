// Timers of workers in virtual time, where what happens when is exact.
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/internal/test_cell.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/scheduler/worker.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using internal::TestCell;
using internal::TestMessage;
using internal::TestOutbox;
using ::testing::ElementsAre;
using testing::IsOk;
using testing::SeedTrace;
using testing::TestSeeds;

MonotonicTime At(int64_t milliseconds) {
  return MonotonicTime() + absl::Milliseconds(milliseconds);
}

// Calls what a timer was given.
class CallingLocal final : public WorkerLocal {
 public:
  struct Timer : TimerNode {
    absl::AnyInvocable<void()> call;
  };

  static std::unique_ptr<WorkerLocal> Make(Worker&) {
    return std::make_unique<CallingLocal>();
  }
  void Flush() override {}
  void TimerDue(TimerNode& timer) override {
    static_cast<Timer&>(timer).call();
  }
};
using Timer = CallingLocal::Timer;

TEST(ExecutorTimersSimTest, FireWhenVirtualTimeHasReachedThem) {
  DeterministicExecutor executor({.workers = 2});
  executor.SetLocals(CallingLocal::Make);
  std::vector<std::pair<std::string, MonotonicTime>> fired;
  const auto note = [&](std::string name) {
    fired.emplace_back(std::move(name), executor.clock().Now());
  };
  const absl::StatusOr<Worker*> dedicated =
      executor.StartDedicatedWorker("own");
  ASSERT_THAT(dedicated, IsOk());
  Timer on_one, on_other, on_dedicated;
  on_one.call = [&] { note("one"); };
  on_other.call = [&] { note("other"); };
  on_dedicated.call = [&] { note("dedicated"); };
  executor.shared_worker(0).SetTimer(on_one, At(30'000));
  executor.shared_worker(1).SetTimer(on_other, At(10));
  (*dedicated)->SetTimer(on_dedicated, At(4'000));
  Alarm alarm([&] { note("alarm"); });
  executor.SetAlarm(alarm, At(20));

  executor.RunUntilIdle();
  EXPECT_EQ(executor.clock().Now(), At(0));
  executor.RunFor(absl::Milliseconds(9));
  EXPECT_THAT(fired, ElementsAre());
  EXPECT_EQ(executor.clock().Now(), At(9));
  executor.RunFor(absl::Hours(1));
  EXPECT_THAT(
      fired, ElementsAre(std::pair("other", At(10)), std::pair("alarm", At(20)),
                         std::pair("dedicated", At(4'000)),
                         std::pair("one", At(30'000))));
}

// A wait ends with what it waits for, or at its deadline.
TEST(ExecutorTimersSimTest, EndWaitsInVirtualTime) {
  DeterministicExecutor executor({.workers = 1});
  executor.SetLocals(CallingLocal::Make);
  Event event;
  Timer timer;
  timer.call = [&] { event.Set(); };
  executor.shared_worker(0).SetTimer(timer, At(5'000));
  EXPECT_FALSE(executor.WaitFor(event, At(4'999)));
  EXPECT_EQ(executor.clock().Now(), At(4'999));
  EXPECT_TRUE(executor.WaitFor(event, At(5'000)));
}

// Which of six timers of two workers, due at the same time, fire first.
std::string OrderOfTies(uint64_t seed) {
  DeterministicExecutor executor({.seed = seed, .workers = 2});
  executor.SetLocals(CallingLocal::Make);
  std::string order;
  std::vector<Timer> timers(6);
  for (int i = 0; i < 6; ++i) {
    timers[i].call = [&order, i] { absl::StrAppend(&order, i); };
    executor.shared_worker(i % 2).SetTimer(timers[i], At(7));
  }
  executor.RunFor(absl::Milliseconds(7));
  return order;
}

TEST(ExecutorTimersSimTest, TheSeedDecidesBetweenWorkers) {
  bool seen_first = false, seen_second = false;
  for (uint64_t seed = 0; seed < 32; ++seed) {
    const std::string order = OrderOfTies(seed);
    EXPECT_EQ(OrderOfTies(seed), order);
    // Those of one worker in the order in which they were set.
    if (order == "024135") {
      seen_first = true;
    } else {
      EXPECT_EQ(order, "135024");
      seen_second = true;
    }
  }
  EXPECT_TRUE(seen_first);
  EXPECT_TRUE(seen_second);
}

TEST(ExecutorTimersSimTest, DelayedOnesFireLateWhileOthersGoOn) {
  int asked = 0;
  DeterministicExecutor executor({.workers = 2, .timer_delay = [&asked] {
                                    return absl::Milliseconds(++asked == 1 ? 25
                                                                           : 0);
                                  }});
  executor.SetLocals(CallingLocal::Make);
  std::vector<std::pair<std::string, MonotonicTime>> fired;
  const auto note = [&](std::string name) {
    fired.emplace_back(std::move(name), executor.clock().Now());
  };
  std::vector<Timer> timers(4);
  timers[0].call = [&] { note("late"); };
  timers[1].call = [&] { note("late too"); };
  timers[2].call = [&] { note("not late"); };
  timers[3].call = [&] { note("other worker"); };
  executor.shared_worker(0).SetTimer(timers[0], At(10));
  executor.shared_worker(0).SetTimer(timers[1], At(20));
  executor.shared_worker(0).SetTimer(timers[2], At(50));
  executor.shared_worker(1).SetTimer(timers[3], At(15));
  Alarm alarm([&] { note("alarm"); });
  executor.SetAlarm(alarm, At(12));
  executor.RunFor(absl::Seconds(1));
  EXPECT_THAT(
      fired,
      ElementsAre(std::pair("alarm", At(12)), std::pair("other worker", At(15)),
                  std::pair("late", At(35)), std::pair("late too", At(35)),
                  std::pair("not late", At(50))));
}

TEST(ExecutorTimersSimTest, AMillionMayBePending) {
  constexpr int kTimers = 1'000'000;
  DeterministicExecutor executor({.workers = 4});
  executor.SetLocals(CallingLocal::Make);
  Random random(1);
  int64_t fired = 0;
  MonotonicTime last;
  std::vector<Timer> timers(kTimers);
  for (int i = 0; i < kTimers; ++i) {
    const MonotonicTime time = At(1 + random.Uniform(60'000));
    timers[i].call = [&, time] {
      EXPECT_EQ(executor.clock().Now(), time);
      EXPECT_GE(time, last);
      last = time;
      ++fired;
    };
    executor.shared_worker(i % 4).SetTimer(timers[i], time);
  }
  executor.RunFor(absl::Seconds(60));
  EXPECT_EQ(fired, kTimers);
}

// Cells that set, move and cancel their timers at random, while they are given
// away, claimed, and lose their seats. Each knows when its timer is to fire.
class Crowd {
 public:
  static constexpr int kCells = 8;

  explicit Crowd(const DeterministicExecutor::Options& options)
      : random_(options.seed), executor_(options) {
    executor_.SetLocals(TestOutbox::Make);
    for (int i = 0; i < kCells; ++i) {
      due_.push_back(MonotonicTime::InfiniteFuture());
      cells_.push_back(std::make_unique<TestCell>(
          absl::StrCat("cell-", i),
          [this, i](TestCell&, const TestMessage& message) {
            Handle(i, message);
          }));
      cells_.back()->Start(executor_);
      cells_.back()->Send({});
    }
  }
  ~Crowd() {
    stopping_ = true;
    for (const auto& cell : cells_) cell->Send({});
    EXPECT_THAT(executor_.Shutdown(), IsOk());
  }

  void RunFor(absl::Duration duration) {
    executor_.RunFor(duration);
    for (const MonotonicTime due : due_)
      EXPECT_GT(due, executor_.clock().Now());
  }
  // Cell and time of all that have fired.
  const std::vector<std::pair<int, MonotonicTime>>& fired() const {
    return fired_;
  }

 private:
  void Handle(int i, const TestMessage& message) {
    const MonotonicTime now = executor_.clock().Now();
    if (stopping_) return cells_[i]->CancelTimer();
    if (message.from == TestCell::kTimer) {
      EXPECT_EQ(due_[i], now);
      EXPECT_EQ(At(static_cast<int64_t>(message.sequence)), now);
      due_[i] = MonotonicTime::InfiniteFuture();
      fired_.emplace_back(i, now);
    }
    if (due_[i] == now) return;  // It has fired, the message is on its way.
    if (random_.Bernoulli(0.3)) cells_[i]->CancelTimer();
    Set(i, now + absl::Milliseconds(
                     1 + random_.Uniform(random_.Bernoulli(0.2) ? 5'000 : 30)));
    // Others are to be claimed.
    const int64_t hops = message.from == TestCell::kTimer ? 3 : message.value;
    if (hops > 0) cells_[random_.Uniform(kCells)]->Send({.value = hops - 1});
    if (random_.Bernoulli(0.1)) {
      Set(i, now + absl::Milliseconds(1 + random_.Uniform(30)));
    }
  }
  void Set(int i, MonotonicTime time) {
    due_[i] = time;
    cells_[i]->SetTimer(time);
  }

  Random random_;
  bool stopping_ = false;
  std::vector<MonotonicTime> due_;
  std::vector<std::pair<int, MonotonicTime>> fired_;
  std::vector<std::unique_ptr<TestCell>> cells_;
  DeterministicExecutor executor_;
};

std::vector<std::pair<int, MonotonicTime>> FiredInACrowd(uint64_t seed) {
  Crowd crowd({.seed = seed,
               .workers = 3,
               .hand_over_probability = 0.3,
               .lost_seat_probability = 0.3});
  for (int i = 0; i < 20; ++i) crowd.RunFor(absl::Milliseconds(100));
  return crowd.fired();
}

TEST(ExecutorTimersSimTest, FireOnceAndInTimeWhateverMoves) {
  for (const uint64_t seed : TestSeeds(50)) {
    SCOPED_TRACE(SeedTrace(seed));
    EXPECT_GT(FiredInACrowd(seed).size(), 300u);
  }
}

TEST(ExecutorTimersSimTest, RepeatTheOrderOfASeed) {
  const auto fired = FiredInACrowd(1);
  EXPECT_EQ(FiredInACrowd(1), fired);
  EXPECT_NE(FiredInACrowd(2), fired);
}

}  // namespace
}  // namespace troupe
