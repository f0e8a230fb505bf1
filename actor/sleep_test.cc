// Sleep(): R-041, clauses 22 and 23 of docs/semantics.md.
#include "troupe/actor/sleep.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/task.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::troupe::testing::IsOk;
using ::troupe::testing::IsOkAndHolds;

constexpr absl::Duration kTick = absl::Milliseconds(1);

class SleepTest : public ::testing::TestWithParam<int> {
 protected:
  SleepTest()
      : executor_(new DeterministicExecutor(
            {.seed = static_cast<uint64_t>(GetParam())})),
        system_(
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor_), {})) {}

  MonotonicTime now() const { return executor_->clock().Now(); }

  DeterministicExecutor* executor_;
  std::unique_ptr<ActorSystem> system_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, SleepTest, ::testing::Range(1, 6));

struct Nap {
  absl::Duration duration;
  using Reply = bool;
};
struct Poke {};

// Counts what is destroyed with its frame.
struct Witness {
  ~Witness() { ++*gone; }
  int* gone;
};

struct Log {
  std::vector<std::string> entries;
  int frames_gone = 0;
};

class Sleeper : public Actor<Nap, Poke> {
 public:
  explicit Sleeper(Log& log) : log_(log) {}

  Task<bool> Handle(Nap nap) {
    const Witness witness{&log_.frames_gone};
    const bool slept = co_await Sleep(nap.duration);
    log_.entries.push_back(slept ? "slept" : "gave up");
    if (!slept) {
      log_.entries.push_back(co_await Sleep(absl::Seconds(1)) ? "slept"
                                                              : "gave up");
    }
    co_return slept;
  }
  void Handle(Poke) { log_.entries.push_back("poke"); }

 private:
  Log& log_;
};

TEST_P(SleepTest, EndsWhenItsTimeHasPassed) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  for (const absl::Duration duration :
       {absl::Nanoseconds(1), absl::Microseconds(999), absl::Milliseconds(1),
        absl::Microseconds(10'500), absl::Seconds(4)}) {
    const MonotonicTime began = now();
    EXPECT_THAT(sleeper.Call<Nap>(duration).Wait(), IsOkAndHolds(true));
    EXPECT_THAT(now() - began, AllOf(Ge(duration), Lt(duration + kTick)));
  }
}

TEST_P(SleepTest, OfNoTimeLetsOthersRun) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  const MonotonicTime began = now();
  for (const absl::Duration duration :
       {absl::ZeroDuration(), absl::Seconds(-1), -absl::InfiniteDuration()}) {
    const uint64_t steps = executor_->steps();
    EXPECT_THAT(sleeper.Call<Nap>(duration).Wait(), IsOkAndHolds(true));
    // A turn to begin in, and one to go on in.
    EXPECT_THAT(executor_->steps() - steps, Ge(2));
  }
  EXPECT_EQ(now(), began);
}

TEST_P(SleepTest, HoldsBackOtherMessagesOfItsActor) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  sleeper.Send<Nap>(absl::Milliseconds(10));
  sleeper.Send<Poke>();
  executor_->RunFor(absl::Milliseconds(9));
  EXPECT_THAT(log.entries, IsEmpty());
  executor_->RunFor(absl::Milliseconds(2));
  EXPECT_THAT(log.entries, ElementsAre("slept", "poke"));
}

TEST_P(SleepTest, YieldsFalseWhenTheDeadlineIsFirst) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  const MonotonicTime began = now();
  // Whether the answer still comes in time is open.
  (void)sleeper.Call<Nap>(absl::Seconds(4))
      .Within(absl::Milliseconds(20))
      .Wait();
  executor_->RunUntilIdle();
  EXPECT_THAT(log.entries, ElementsAre("gave up", "gave up"));
  EXPECT_EQ(now() - began, absl::Milliseconds(20));
  EXPECT_EQ(log.frames_gone, 1);
}

TEST_P(SleepTest, YieldsTrueWhenItEndsWithTheDeadline) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  (void)sleeper.Call<Nap>(absl::Milliseconds(20))
      .Within(absl::Milliseconds(20))
      .Wait();
  executor_->RunUntilIdle();
  EXPECT_THAT(log.entries, ElementsAre("slept"));
}

struct Go {};

// Calls, and waits for the answer.
class Caller : public Actor<Go> {
 public:
  explicit Caller(ActorRef<Nap> whom) : whom_(whom) {}
  Task<void> Handle(Go) { (void)co_await whom_.Call<Nap>(absl::Seconds(4)); }

 private:
  const ActorRef<Nap> whom_;
};

TEST_P(SleepTest, YieldsFalseWhenTheCallerDies) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  const auto caller = system_->Spawn<Caller>(sleeper).value();
  caller.Send<Go>();
  executor_->RunFor(absl::Milliseconds(10));
  EXPECT_THAT(log.entries, IsEmpty());
  EXPECT_THAT(caller.KillAndWait(), IsOk());
  const MonotonicTime died = now();
  executor_->RunUntilIdle();
  EXPECT_THAT(log.entries, ElementsAre("gave up", "gave up"));
  EXPECT_EQ(now(), died);
}

TEST_P(SleepTest, WithoutEndLastsUntilTheKill) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  sleeper.Send<Nap>(absl::InfiniteDuration());
  executor_->RunFor(absl::Hours(10'000));
  EXPECT_EQ(log.frames_gone, 0);
  EXPECT_THAT(sleeper.KillAndWait(), IsOk());
  EXPECT_EQ(log.frames_gone, 1);
  EXPECT_THAT(log.entries, IsEmpty());
}

TEST_P(SleepTest, EndsBeforeItsActorStops) {
  Log log;
  const auto sleeper = system_->Spawn<Sleeper>(log).value();
  sleeper.Send<Nap>(absl::Seconds(1));
  executor_->RunFor(absl::Milliseconds(10));
  const MonotonicTime asked = now();
  EXPECT_THAT(sleeper.StopAndWait(), IsOk());
  EXPECT_THAT(log.entries, ElementsAre("slept"));
  EXPECT_THAT(now() - asked, Ge(absl::Milliseconds(990)));
}

struct Naps {
  std::vector<int> milliseconds;
};

// Sleeps beside itself.
class ManySleeper : public Actor<Naps, Nap> {
 public:
  using Interleaved = Nap;
  explicit ManySleeper(std::vector<int>& woken) : woken_(woken) {}
  void Handle(const Naps& naps) {
    for (const int ms : naps.milliseconds) {
      self().Send<Nap>(absl::Milliseconds(ms));
    }
  }
  Task<bool> Handle(Nap nap) {
    const int number = next_++;
    co_await Sleep(nap.duration);
    woken_.push_back(number);
    co_return true;
  }

 private:
  std::vector<int>& woken_;
  int next_ = 0;
};

TEST_P(SleepTest, OfOneActorEndInTheOrderOfTime) {
  std::vector<int> woken;
  const auto sleeper = system_->Spawn<ManySleeper>(woken).value();
  sleeper.Send(Naps{{5, 3, 3, 40, 0, 3}});
  executor_->RunFor(absl::Milliseconds(50));
  EXPECT_THAT(woken, ElementsAre(4, 1, 2, 5, 0, 3));
}

// Its hooks are Tasks that sleep.
class SlowHooks : public Actor<Poke> {
 public:
  explicit SlowHooks(Log& log) : log_(log) {}
  Task<void> PreStart() {
    co_await Sleep(absl::Milliseconds(10));
    log_.entries.push_back("PreStart");
  }
  Task<void> PostStart() {
    co_await Sleep(absl::Milliseconds(10));
    log_.entries.push_back("PostStart");
  }
  Task<void> PostStop(const ExitReason&) {
    co_await Sleep(absl::Milliseconds(10));
    log_.entries.push_back("PostStop");
  }
  void Handle(Poke) { log_.entries.push_back("poke"); }

 private:
  Log& log_;
};

TEST_P(SleepTest, WorksInEveryHook) {
  Log log;
  const MonotonicTime began = now();
  const auto actor = system_->SpawnInstant<SlowHooks>(std::ref(log)).value();
  actor.Send<Poke>();
  EXPECT_THAT(actor.DrainAndWait(), IsOk());
  EXPECT_EQ(now() - began, absl::Milliseconds(30));
  EXPECT_THAT(log.entries,
              ElementsAre("PreStart", "PostStart", "poke", "PostStop"));
}

Task<void> SleepOutside() { co_await Sleep(absl::Milliseconds(1)); }

TEST(SleepDeathTest, NeedsATaskOfAnActor) {
  EXPECT_DEATH(
      {
        auto root = SleepOutside().Release();
        internal::RunCoroutine(root);
      },
      "Sleep\\(\\) is awaited in a Task of an actor");
}

}  // namespace
}  // namespace troupe
