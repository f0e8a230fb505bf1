// Timers of actors: clause 33 of docs/semantics.md.
#include "troupe/actor/timer.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/timer_testing.h"
#include "troupe/actor/spawn_options.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Optional;
using ::testing::SizeIs;
using ::troupe::testing::IsOk;

constexpr absl::Duration Ms(int64_t n) { return absl::Milliseconds(n); }

INSTANTIATE_TEST_SUITE_P(Seeds, TimerTest, ::testing::Range(1, 6));

//
TEST_P(TimerTest, SendAfterArrivesOnceAndNotBefore) {
  InActor([](TimedActor& a) { a.SendAfter<Tick>(Ms(10), "a"); });
  RunFor(9);
  EXPECT_THAT(log_, IsEmpty());
  RunFor(500);
  EXPECT_THAT(log_, ElementsAre("a@10"));
}

//
TEST_P(TimerTest, SendEveryTicksUntilItsActorEnds) {
  InActor([](TimedActor& a) { a.SendEvery<Tick>(Ms(10), "a"); });
  EXPECT_THAT(log_, IsEmpty());
  RunFor(150);
  EXPECT_THAT(log_, SizeIs(15));
  EXPECT_EQ(log_.back(), "a@150");
  EXPECT_THAT(actor_.StopAndWait(), IsOk());
  EXPECT_EQ(Tick::living(), 0);
  RunFor(500);
  EXPECT_THAT(log_, SizeIs(15));
}

TEST_P(TimerTest, ArriveInTheOrderOfTimeThenOfStart) {
  InActor([](TimedActor& a) {
    a.SendAfter<Tick>(Ms(3), "third");
    a.SendAfter<Tick>(Ms(1), "first");
    a.SendEvery<Tick>(Ms(2), "every");
    a.SendAfter<Tick>(Ms(2), "second");
    a.SendAfter<Tick>(Ms(4), "fourth");
  });
  RunFor(5);
  // The second tick of `every` was set after `fourth`.
  EXPECT_THAT(log_, ElementsAre("first@1", "every@2", "second@2", "third@3",
                                "fourth@4", "every@4"));
}

TEST_P(TimerTest, OfNoTimeArriveInATurnOfTheirOwn) {
  InActor([](TimedActor& a) {
    a.SendAfter<Tick>(Ms(0), "zero");
    a.SendAfter<Tick>(-Ms(5), "past");
    a.SendAfter<Tick>(-absl::InfiniteDuration(), "ever");
    a.Note("started");
  });
  EXPECT_THAT(log_, ElementsAre("started@0", "zero@0", "past@0", "ever@0"));
}

TEST_P(TimerTest, OfInfiniteTimeNeverArrive) {
  std::optional<absl::Duration> left;
  Timer timer;
  InActor([&](TimedActor& a) {
    timer = a.SendAfter<Tick>(absl::InfiniteDuration(), "a");
  });
  executor_->RunFor(absl::Hours(1'000'000));
  InActor([&](TimedActor&) { left = timer.Cancel(); });
  EXPECT_THAT(left, Optional(absl::InfiniteDuration()));
  EXPECT_EQ(Tick::living(), 0);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerTest, FirstTickMayHaveATimeOfItsOwn) {
  InActor([](TimedActor& a) {
    a.SendEvery<Tick>({.period = Ms(10), .first_after = Ms(3)}, "a");
    a.SendEvery<Tick>({.period = Ms(10), .first_after = Ms(0)}, "b");
    a.SendEvery<Tick>(
        {.period = absl::InfiniteDuration(), .first_after = Ms(5)}, "c");
  });
  RunFor(20);
  EXPECT_THAT(log_, ElementsAre("b@0", "a@3", "c@5", "b@10", "a@13", "b@20"));
}

// -- cancelling

TEST_P(TimerTest, CancelReturnsTheRemainingTime) {
  Timer timer;
  std::optional<absl::Duration> before, left, again;
  bool pending = false, pending_after = true;
  InActor([&](TimedActor& a) { timer = a.SendAfter<Tick>(Ms(10), "a"); });
  RunFor(4);
  InActor([&](TimedActor&) {
    before = timer.time_left();
    pending = timer.pending();
    left = timer.Cancel();
    EXPECT_EQ(Tick::living(), 0);
    pending_after = timer.pending();
    again = timer.Cancel();
  });
  EXPECT_THAT(before, Optional(Ms(6)));
  EXPECT_TRUE(pending);
  EXPECT_THAT(left, Optional(Ms(6)));
  EXPECT_FALSE(pending_after);
  EXPECT_EQ(again, std::nullopt);
  RunFor(100);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerTest, CancelStopsWhatWaitsForAHandler) {
  Timer single, every;
  std::optional<absl::Duration> left_single, left_every;
  InActor([&](TimedActor& a) {
    single = a.SendAfter<Tick>(Ms(10), "single");
    every = a.SendEvery<Tick>(Ms(10), "every");
  });
  actor_.Send(DoLater{Ms(25), [&](TimedActor&) {
                        EXPECT_THAT(single.time_left(), Optional(Ms(0)));
                        left_single = single.Cancel();
                        left_every = every.Cancel();
                      }});
  RunFor(100);
  EXPECT_THAT(left_single, Optional(Ms(0)));
  EXPECT_THAT(left_every, Optional(Ms(0)));
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerTest, SingleOneIsOverInItsOwnHandler) {
  Timer timer;
  std::optional<absl::Duration> left = Ms(1);
  InActor([&](TimedActor& a) {
    timer = a.SendAfter<Tick>(Ms(10), "a");
    a.on_tick = [&](TimedActor&, const std::string&) { left = timer.Cancel(); };
  });
  RunFor(10);
  EXPECT_THAT(log_, ElementsAre("a@10"));
  EXPECT_EQ(left, std::nullopt);
}

TEST_P(TimerTest, RepeatedOneCanBeCancelledInItsOwnHandler) {
  Timer timer;
  std::optional<absl::Duration> left;
  InActor([&](TimedActor& a) {
    timer = a.SendEvery<Tick>(Ms(10), "a");
    a.on_tick = [&](TimedActor&, const std::string&) { left = timer.Cancel(); };
  });
  RunFor(100);
  EXPECT_THAT(log_, ElementsAre("a@10"));
  EXPECT_THAT(left, Optional(Ms(10)));
}

TEST_P(TimerTest, OneOfTheSameInstantCanBeCancelled) {
  Timer timer;
  std::optional<absl::Duration> left;
  InActor([&](TimedActor& a) {
    a.SendAfter<Tick>(Ms(10), "a");
    timer = a.SendAfter<Tick>(Ms(10), "b");
    a.SendAfter<Tick>(Ms(10), "c");
    a.on_tick = [&](TimedActor&, const std::string& name) {
      if (name == "a") left = timer.Cancel();
    };
  });
  RunFor(100);
  EXPECT_THAT(log_, ElementsAre("a@10", "c@10"));
  EXPECT_THAT(left, Optional(Ms(0)));
}

TEST_P(TimerTest, HandleMayOutliveItsTimer) {
  Timer first, second;
  InActor([&](TimedActor& a) { first = a.SendAfter<Tick>(Ms(1), "a"); });
  RunFor(1);
  InActor([&](TimedActor& a) {
    second = a.SendAfter<Tick>(Ms(5), "b");  // In the memory of the first.
    EXPECT_FALSE(first.pending());
    EXPECT_EQ(first.Cancel(), std::nullopt);
    EXPECT_EQ(first.time_left(), std::nullopt);
    EXPECT_TRUE(second.pending());
    EXPECT_FALSE(Timer().pending());
  });
  RunFor(5);
  EXPECT_THAT(log_, ElementsAre("a@1", "b@6"));
}

// -- late ticks

TEST_P(TimerTest, MissedTicksCoalesceToTheLatest) {
  InActor([](TimedActor& a) { a.SendEvery<Tick>(Ms(10), "a"); });
  actor_.Send(DoLater{Ms(55), [](TimedActor& a) { a.Note("handled"); }});
  RunFor(75);
  EXPECT_THAT(log_, ElementsAre("handled@55", "a@55", "a@60", "a@70"));
}

TEST_P(TimerTest, MissedTicksBurstIfAsked) {
  InActor([](TimedActor& a) {
    a.SendEvery<Tick>({.period = Ms(10), .missed = MissedTicks::kBurst}, "a");
  });
  actor_.Send(DoLater{Ms(35), [](TimedActor& a) { a.Note("handled"); }});
  RunFor(45);
  EXPECT_THAT(log_, ElementsAre("handled@35", "a@35", "a@35", "a@35", "a@40"));
}

TEST_P(TimerTest, BurstLetsMessagesThrough) {
  InActor([](TimedActor& a) {
    a.SendEvery<Tick>({.period = Ms(1), .missed = MissedTicks::kBurst}, "a");
  });
  actor_.Send(DoLater{Ms(100), [](TimedActor&) {}});
  actor_.Send<Tick>("message");
  RunFor(100);
  // One tick of a timer in a turn: the message is not behind all of them.
  ASSERT_THAT(log_, SizeIs(101));
  EXPECT_EQ(log_[1], "message@100");
}

// -- lanes

TEST_P(TimerTest, DueOnesComeBeforeMessagesThatWait) {
  InActor([](TimedActor& a) { a.SendAfter<Tick>(Ms(10), "timer"); });
  actor_.Send(DoLater{Ms(20), [](TimedActor&) {}});
  actor_.Send<Tick>("message");
  RunFor(5);
  actor_.SendUrgent<Tick>("urgent");
  RunFor(20);
  EXPECT_THAT(log_, ElementsAre("timer@20", "urgent@20", "message@20"));
}

TEST_P(TimerTest, WaitForAHandlerThatIsSuspended) {
  InActor([](TimedActor& a) {
    a.SendAfter<Tick>(Ms(1), "a");
    a.SendAfter<Tick>(Ms(2), "b");
  });
  actor_.Send(DoLater{Ms(10), [](TimedActor& a) { a.Note("handled"); }});
  const uint64_t steps = executor_->steps();
  RunFor(9);
  // And while they wait, they wake nobody.
  EXPECT_THAT(executor_->steps() - steps, Le(50));
  EXPECT_THAT(log_, IsEmpty());
  RunFor(1);
  EXPECT_THAT(log_, ElementsAre("handled@10", "a@10", "b@10"));
}

TEST_P(TimerTest, OfNoTimeAgainAndAgainLetMessagesThrough) {
  actor_.Send(Do{[](TimedActor& a) {
    a.on_tick = [](TimedActor& actor, const std::string& name) {
      if (name == "again") actor.SendAfter<Tick>(Ms(0), "again");
    };
    a.SendAfter<Tick>(Ms(0), "again");
    a.self().Send<Tick>("message");
  }});
  while (log_.empty() || log_.back() != "message@0") {
    ASSERT_TRUE(executor_->Step());
    ASSERT_THAT(log_, SizeIs(Le(2)));
  }
  EXPECT_THAT(actor_.KillAndWait(), IsOk());
}

// -- to others

TEST_P(TimerTest, ToAnotherActorArrivesThere) {
  std::vector<std::string> log;
  const auto other = system_->Spawn<TimedActor>(log).value();
  Timer every;
  InActor([&](TimedActor& a) {
    a.SendAfter<Tick>(other, Ms(5), "single");
    every = a.SendEvery<Tick>(other, Ms(10), "every");
    a.SendEvery<Tick>(other, Every{.period = Ms(10), .first_after = Ms(1)},
                      "more");
  });
  RunFor(22);
  EXPECT_THAT(log, ElementsAre("more@1", "single@5", "every@10", "more@11",
                               "every@20", "more@21"));
  InActor([&](TimedActor&) { EXPECT_THAT(every.Cancel(), Optional(Ms(8))); });
  RunFor(10);
  EXPECT_EQ(log.back(), "more@31");
  EXPECT_THAT(actor_.StopAndWait(), IsOk());
  RunFor(100);
  EXPECT_EQ(log.back(), "more@31");
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerTest, ToAnotherActorIsSentWhileAHandlerIsSuspended) {
  std::vector<std::string> log;
  const auto other = system_->Spawn<TimedActor>(log).value();
  InActor([&](TimedActor& a) {
    a.SendAfter<Tick>(other, Ms(5), "a");
    a.SendEvery<Tick>(
        other, Every{.period = Ms(10), .missed = MissedTicks::kBurst}, "b");
  });
  actor_.Send(DoLater{Ms(25), [](TimedActor&) {}});
  RunFor(25);
  EXPECT_THAT(log, ElementsAre("a@5", "b@10", "b@20"));
}

TEST_P(TimerTest, ToTheDeadBecomesADeadLetter) {
  std::vector<std::string> log;
  const auto other = system_->Spawn<TimedActor>(log).value();
  InActor([&](TimedActor& a) {
    a.SendAfter<Tick>(other, Ms(5), "a");
    a.SendAfter<Tick>(TimedActor::Ref(), Ms(5), "to nobody");
  });
  EXPECT_THAT(other.StopAndWait(), IsOk());
  RunFor(10);
  EXPECT_EQ(system_->dead_letters(), 1);
  EXPECT_EQ(Tick::living(), 0);
  EXPECT_THAT(log, IsEmpty());
}

// Cancels a timer, once, when the first copy goes.
class Cancelling {
 public:
  Cancelling(std::optional<Timer>& timer, int& copies)
      : timer_(timer), copies_(copies) {}
  Cancelling(const Cancelling& other)
      : is_copy_(true), timer_(other.timer_), copies_(other.copies_) {
    ++copies_;
  }
  Cancelling& operator=(const Cancelling&) = delete;
  ~Cancelling() {
    if (!is_copy_ || !timer_.has_value()) return;
    EXPECT_TRUE(std::exchange(timer_, std::nullopt)->Cancel().has_value());
  }

 private:
  const bool is_copy_ = false;
  std::optional<Timer>& timer_;
  int& copies_;
};

class Sink : public Actor<Cancelling> {
 public:
  void Handle(const Cancelling&) {}
};

TEST_P(TimerTest, TicksToTheDeadMayCancelTheirTimer) {
  for (const MissedTicks missed :
       {MissedTicks::kCoalesce, MissedTicks::kBurst}) {
    const auto sink = system_->Spawn<Sink>().value();
    EXPECT_THAT(sink.KillAndWait(), IsOk());
    std::optional<Timer> timer;
    int copies = 0;
    InActor([&](TimedActor& a) {
      timer = a.SendEvery<Cancelling>(
          sink, Every{.period = absl::Microseconds(1), .missed = missed}, timer,
          copies);
    });
    RunFor(20);
    EXPECT_EQ(copies, 1);
    EXPECT_FALSE(timer.has_value());
  }
}

// Cancels its timer when it is copied for the second time.
class CancelledByCopy {
 public:
  struct World {
    std::optional<Timer> timer;
    int originals = 0;
    int copies = 0;
    bool throws = false;
  };
  explicit CancelledByCopy(World& world) : world_(world) { ++world_.originals; }
  CancelledByCopy(const CancelledByCopy& other)
      : is_copy_(true), world_(other.world_) {
    if (++world_.copies < 2) return;
    EXPECT_TRUE(world_.timer->Cancel().has_value());
    EXPECT_EQ(world_.originals, 1);  // It is being copied still.
    if (world_.throws) throw std::runtime_error("no second copy");
  }
  CancelledByCopy& operator=(const CancelledByCopy&) = delete;
  ~CancelledByCopy() {
    if (!is_copy_) --world_.originals;
  }

 private:
  const bool is_copy_ = false;
  World& world_;
};

class Receiver : public Actor<CancelledByCopy> {
 public:
  explicit Receiver(int& handled) : handled_(handled) {}
  void Handle(const CancelledByCopy&) { ++handled_; }

 private:
  int& handled_;
};

// Sends to itself, or another.
class Repeater : public Receiver {
 public:
  Repeater(CancelledByCopy::World& world, int& handled,
           const Receiver::Ref& other)
      : Receiver(handled), world_(world), other_(other) {}
  void PostStart() {
    const Every every{.period = absl::Milliseconds(1)};
    world_.timer = other_.IsNull()
                       ? SendEvery<CancelledByCopy>(every, world_)
                       : SendEvery<CancelledByCopy>(other_, every, world_);
  }

 private:
  CancelledByCopy::World& world_;
  const Receiver::Ref other_;
};

// Clause 33: after Cancel() nothing arrives, not even what is being made.
TEST_P(TimerTest, CopiesOfAMessageMayCancelItsTimer) {
  int handled = 0;
  const auto other = system_->Spawn<Receiver>(handled).value();
  for (const Receiver::Ref& target : {Receiver::Ref(), other}) {
    for (const bool throws : {false, true}) {
      CancelledByCopy::World world;
      world.throws = throws;
      handled = 0;
      const auto repeater =
          system_->Spawn<Repeater>(world, handled, target).value();
      RunFor(20);
      EXPECT_EQ(world.copies, 2);
      EXPECT_EQ(world.originals, 0);
      EXPECT_EQ(handled, 1);
      EXPECT_EQ(repeater.status(),
                throws ? ActorStatus::kStopped : ActorStatus::kRunning);
    }
  }
}

TEST_P(TimerTest, TicksThatAreDroppedForOthersMayCancelTheirTimer) {
  const auto sink = system_
                        ->Spawn<Sink>(SpawnOptions{
                            .mailbox = {.messages = 1,
                                        .policy = OverflowPolicy::kDropOldest}})
                        .value();
  std::optional<Timer> timer;
  int copies = 0;
  InActor([&](TimedActor& a) {
    timer = a.SendEvery<Cancelling>(
        sink,
        Every{.period = absl::Microseconds(1), .missed = MissedTicks::kBurst},
        timer, copies);
  });
  RunFor(20);
  EXPECT_EQ(copies, 2);  // The second drops the first.
  EXPECT_FALSE(timer.has_value());
}

// -- stop and kill

//
TEST_P(TimerTest, StopAfterStopsTheActor) {
  InActor([](TimedActor& a) {
    a.StopAfter(Ms(10));
    a.SendEvery<Tick>(Ms(4), "a");
  });
  RunFor(9);
  EXPECT_EQ(actor_.status(), ActorStatus::kRunning);
  RunFor(500);
  EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
  EXPECT_THAT(log_, ElementsAre("a@4", "a@8"));
}

//
TEST_P(TimerTest, KillAfterKillsASuspendedHandler) {
  InActor([](TimedActor& a) { a.KillAfter(Ms(10)); });
  actor_.Send(DoLater{Ms(100), [](TimedActor& a) { a.Note("handled"); }});
  RunFor(9);
  EXPECT_EQ(actor_.status(), ActorStatus::kRunning);
  RunFor(1);
  EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
  RunFor(500);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_P(TimerTest, StopAfterLetsASuspendedHandlerFinish) {
  InActor([](TimedActor& a) {
    a.StopAfter(Ms(10));
    a.SendAfter<Tick>(Ms(20), "never");
  });
  actor_.Send(DoLater{Ms(100), [](TimedActor& a) { a.Note("handled"); }});
  RunFor(500);
  EXPECT_EQ(actor_.status(), ActorStatus::kStopped);
  EXPECT_THAT(log_, ElementsAre("handled@100"));
}

TEST_P(TimerTest, EndsCanBeCancelled) {
  Timer stop, kill;
  InActor([&](TimedActor& a) {
    stop = a.StopAfter(Ms(10));
    kill = a.KillAfter(Ms(12));
  });
  RunFor(4);
  InActor([&](TimedActor&) {
    EXPECT_THAT(stop.Cancel(), Optional(Ms(6)));
    EXPECT_THAT(kill.Cancel(), Optional(Ms(8)));
  });
  RunFor(500);
  EXPECT_EQ(actor_.status(), ActorStatus::kRunning);
}

// -- misuse

TEST(TimerDeathTest, PeriodIsPositive) {
  std::vector<std::string> log;
  EXPECT_DEATH(
      {
        DeterministicExecutor* executor = new DeterministicExecutor({});
        const auto system =
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
        system->Spawn<TimedActor>(log).value().Send(Do{[](TimedActor& a) {
          a.SendEvery<Tick>(absl::ZeroDuration(), "a");
        }});
        executor->RunUntilIdle();
      },
      "a period is a nanosecond at least");
}

TEST(TimerDeathTest, HandleIsItsActorsOwn) {
  std::vector<std::string> log;
  EXPECT_DEATH(
      {
        DeterministicExecutor* executor = new DeterministicExecutor({});
        const auto system =
            ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
        Timer timer;
        system->Spawn<TimedActor>(log).value().Send(
            Do{[&](TimedActor& a) { timer = a.SendAfter<Tick>(Ms(1), "a"); }});
        executor->RunUntilIdle();
        timer.Cancel();
      },
      "a Timer is used by the actor that started it");
}

}  // namespace
}  // namespace troupe::internal
