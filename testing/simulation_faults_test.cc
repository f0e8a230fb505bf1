// Faults of simulations, and traces that replay them.
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_status.h"
#include "troupe/base/allocation_gate.h"
#include "troupe/mailbox/envelope_pool.h"
#include "troupe/testing/memory_shortage.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// What a failure tells.
std::string Told(Simulation& sim) {
  sim.Check("tell", [] { return false; });
  return std::string(sim.failure().message());
}

struct Tick {};

// Notes when each of its 20 ticks came, one each second.
class Clockwork : public Actor<Tick> {
 public:
  Clockwork(Simulation& sim, std::vector<absl::Duration>& ticks)
      : sim_(sim), ticks_(ticks) {}
  void PostStart() { ticker_ = SendEvery<Tick>(absl::Seconds(1)); }
  void Handle(Tick) {
    ticks_.push_back(sim_.now());
    if (ticks_.size() == 20) ticker_.Cancel();
  }

 private:
  Simulation& sim_;
  std::vector<absl::Duration>& ticks_;
  Timer ticker_;
};

TEST(SimulationFaultsTest, TimersMayBeLateButNeverEarly) {
  int late = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    // Where it moves to another worker, that may be late again.
    Simulation sim(seed, {.workers = 1});
    auto& ticks = sim.Make<std::vector<absl::Duration>>();
    sim.MayDelayTimers(absl::Milliseconds(300),
                       {.probability = 0.3, .at_most_times = 5});
    ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(sim), std::ref(ticks)),
                IsOk());
    sim.Play();
    ASSERT_THAT(ticks, SizeIs(20));
    int late_here = 0;
    for (size_t i = 0; i < ticks.size(); ++i) {
      const absl::Duration due = absl::Seconds(i + 1);
      EXPECT_GE(ticks[i], due);
      EXPECT_LE(ticks[i], due + absl::Milliseconds(300));
      if (ticks[i] > due) ++late_here;
    }
    EXPECT_LE(late_here, 5);
    if (late_here > 0) {
      EXPECT_THAT(Told(sim), HasSubstr("fault: late timers, by "));
    }
    late += late_here;
  }
  EXPECT_GT(late, 20);
}

struct Add {
  int number;
};
// Writes what it is sent into `log`.
class Taker : public Actor<Add> {
 public:
  explicit Taker(std::vector<int>& log) : log_(log) {}
  void Handle(Add m) { log_.push_back(m.number); }

 private:
  std::vector<int>& log_;
};

// Fills the mailbox of an actor that is spawned so, and then sends it messages,
// one at a time. Steps go by only in the second half.
struct Filled {
  std::vector<Trace::Fault> faults = {};
  std::vector<int> handled = {};
  int refused = 0;
};
Filled SendToFilled(SpawnOptions options, int messages) {
  Simulation sim(1);
  auto& log = sim.Make<std::vector<int>>();
  const auto taker =
      sim.system().Spawn<Taker>(std::move(options), std::ref(log)).value();
  sim.MayFill("the taker", [taker] { return taker; }, {.probability = 1});
  sim.Play();  // A step: its mailbox is full now.
  Filled filled{.faults = sim.trace().faults};
  for (int i = 1; i <= messages; ++i) {
    if (taker.TrySend(Add{i}) == SendResult::kMailboxFull) ++filled.refused;
    if (i > messages / 2) sim.system().Spawn<Taker>(std::ref(log)).value();
    sim.Play();
  }
  filled.handled = log;
  return filled;
}

TEST(SimulationFaultsTest, FilledMailboxRefusesForSomeSteps) {
  const Filled filled = SendToFilled(
      {.mailbox = {.messages = 10, .policy = OverflowPolicy::kReject}}, 60);
  EXPECT_GT(filled.refused, 20);
  EXPECT_LT(filled.refused, 60);
  EXPECT_THAT(filled.handled, SizeIs(60 - filled.refused));
  EXPECT_EQ(filled.handled.back(), 60);
  EXPECT_THAT(filled.faults,
              ElementsAre(AllOf(Field(&Trace::Fault::name, "fill the taker"),
                                Field(&Trace::Fault::amount, Gt(0)))));
}

TEST(SimulationFaultsTest, FilledMailboxTakesOneWhereSendersMayWait) {
  const Filled filled = SendToFilled(
      {.mailbox = {.messages = 10, .policy = OverflowPolicy::kAwait}}, 10);
  EXPECT_THAT(filled.faults, SizeIs(1));
  EXPECT_EQ(filled.refused, 0);
  EXPECT_THAT(filled.handled, SizeIs(10));
}

TEST(SimulationFaultsTest, MailboxWithoutBoundsIsNotFilled) {
  const Filled filled = SendToFilled({}, 10);
  EXPECT_EQ(filled.refused, 0);
  EXPECT_THAT(filled.faults, IsEmpty());
}

// Sends on what it gets, and forgets what it has no memory for.
class Forgetful : public Actor<Add> {
 public:
  Forgetful(Simulation& sim, ActorRef<Add> next, int& forgotten)
      : sim_(sim), next_(next), forgotten_(forgotten) {}
  void Handle(Add m) {
    try {
      const MemoryShortage shortage = sim_.MayLackMemory(
          "the way", {.probability = 0.3, .at_most_times = 4});
      next_.Send<Add>(m.number);
    } catch (const std::bad_alloc&) {
      ++forgotten_;
    }
  }

 private:
  Simulation& sim_;
  const ActorRef<Add> next_;
  int& forgotten_;
};

TEST(SimulationFaultsTest, MemoryIsShortWhereTheTestSays) {
  int all_forgotten = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Simulation sim(seed);
    auto& log = sim.Make<std::vector<int>>();
    int& forgotten = sim.Make<int>(0);
    const auto last = sim.system().Spawn<Taker>(std::ref(log)).value();
    const auto first =
        sim.system()
            .Spawn<Forgetful>(std::ref(sim), last, std::ref(forgotten))
            .value();
    for (int i = 0; i < 20; ++i) first.Send<Add>(i);
    sim.Play();
    EXPECT_EQ(first.status(), ActorStatus::kRunning);
    EXPECT_LE(forgotten, 4);
    EXPECT_THAT(log, SizeIs(20 - forgotten));
    EXPECT_THAT(sim.trace().faults, SizeIs(forgotten));
    if (forgotten > 0) {
      EXPECT_THAT(Told(sim), HasSubstr("fault: no memory at the way"));
    }
    all_forgotten += forgotten;
  }
  EXPECT_GT(all_forgotten, 20);
}

// The inner one as in a turn that is played in the midst of another, which is
// one of the things that must have memory.
TEST(SimulationFaultsTest, MemoryIsStillShortAfterAShortageWithin) {
  int asked = 0;
  const MemoryShortage outer([&asked] {
    ++asked;
    return false;
  });
  {
    const troupe::internal::GateForMusts lifted;
    const MemoryShortage inner([] { return false; });
  }
  for (int i = 0; i < 10; ++i) {
    EnvelopePool::Free(EnvelopePool::Allocate(0), 0);
  }
  EXPECT_EQ(asked, 10);
}

// What was sent comes, and wakes its receiver: of what a queue has taken,
// nothing can be refused.
TEST(SimulationFaultsTest, MemoryIsShortOnTheWayToABoundedMailbox) {
  int all_forgotten = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Simulation sim(seed);
    auto& log = sim.Make<std::vector<int>>();
    int& forgotten = sim.Make<int>(0);
    const auto last =
        sim.system()
            .Spawn<Taker>({.mailbox = {.messages = 100}}, std::ref(log))
            .value();
    const auto first =
        sim.system()
            .Spawn<Forgetful>(std::ref(sim), last, std::ref(forgotten))
            .value();
    for (int i = 0; i < 20; ++i) {
      first.Send<Add>(i);
      sim.Play();
    }
    EXPECT_EQ(first.status(), ActorStatus::kRunning);
    EXPECT_THAT(log, SizeIs(20 - forgotten));
    EXPECT_THAT(sim.trace().faults, SizeIs(forgotten));
    all_forgotten += forgotten;
  }
  EXPECT_GT(all_forgotten, 20);
}

TEST(SimulationFaultsTest, SpawnSaysThatThereIsNoMemory) {
  Simulation sim(1);
  auto& log = sim.Make<std::vector<int>>();
  {
    const MemoryShortage shortage =
        sim.MayLackMemory("the test", {.probability = 1});
    EXPECT_THAT(sim.system().Spawn<Taker>(std::ref(log)),
                StatusIs(absl::StatusCode::kResourceExhausted));
  }
  EXPECT_THAT(sim.system().Spawn<Taker>(std::ref(log)), IsOk());
}

// Many faults of all kinds, of several actors.
class Fragile : public Actor<Add> {
 public:
  Fragile(Simulation& sim, ActorRef<Add> next) : sim_(sim), next_(next) {}
  void Handle(Add m) {
    sim_.MayThrow("the handler", {.probability = 0.01});
    if (m.number > 0) next_.Send<Add>(m.number - 1);
  }

 private:
  Simulation& sim_;
  const ActorRef<Add> next_;
};

void Bustle(Simulation& sim) {
  auto& ticks = sim.Make<std::vector<absl::Duration>>();
  auto& log = sim.Make<std::vector<int>>();
  sim.MayDelayTimers(absl::Seconds(2), {.probability = 0.2});
  std::vector<AnyActorRef> actors;
  ActorRef<Add> next =
      sim.system()
          .Spawn<Taker>({.mailbox = {.messages = 3}}, std::ref(log))
          .value();
  sim.MayFill("the last", [last = next] { return last; });
  for (int i = 0; i < 5; ++i) {
    next = sim.system().Spawn<Fragile>(std::ref(sim), next).value();
    for (int j = 0; j < 5; ++j) next.Send<Add>(3);
    sim.MayKill("one of them", [next] { return next; }, {.probability = 0.01});
  }
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(sim), std::ref(ticks)),
              IsOk());
  sim.MayHappen("a note", [&sim] { sim.Record("noted"); },
                {.at_most_times = 5});
  sim.Play();
}

TEST(SimulationFaultsTest, TraceIsTheWholeCourse) {
  std::vector<std::string> faults;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    SCOPED_TRACE(seed);
    Simulation sim(seed);
    Bustle(sim);
    for (const Trace::Fault& fault : sim.trace().faults) {
      faults.push_back(fault.name);
    }
    const absl::StatusOr<Trace> trace = Trace::Parse(sim.trace().ToString());
    ASSERT_THAT(trace, IsOkAndHolds(sim.trace()));
    Simulation again(seed, {.replay = *trace});
    Bustle(again);
    EXPECT_EQ(again.hash(), sim.hash());
    EXPECT_EQ(again.trace(), sim.trace());
  }
  for (const char* const name :
       {"late timers", "fill the last", "kill one of them",
        "kill one of them (2)", "throw at the handler", "a note"}) {
    EXPECT_THAT(faults, ::testing::Contains(name));
  }
}

TEST(SimulationFaultsTest, NothingHappensThatTheTraceDoesNotName) {
  Simulation sim(1);
  Bustle(sim);
  ASSERT_THAT(sim.trace().faults, Not(IsEmpty()));
  ASSERT_THAT(sim.trace().choices, Not(IsEmpty()));
  Simulation plain(1, {.replay = Trace()});
  Bustle(plain);
  EXPECT_EQ(plain.trace(), Trace());
  EXPECT_NE(plain.hash(), sim.hash());
  EXPECT_THAT(Told(plain), Not(HasSubstr("fault:")));
}

TEST(SimulationFaultsTest, FaultHappensAtTheOccasionThatTheTraceNames) {
  int happened = 0;
  Simulation sim(1, {.workers = 1, .replay = Trace{.faults = {{"one", 7}}}});
  auto& ticks = sim.Make<std::vector<absl::Duration>>();
  uint64_t at_step = 0;
  sim.MayHappen("one", [&] {
    ++happened;
    at_step = sim.steps();
  });
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(sim), std::ref(ticks)),
              IsOk());
  sim.Play();
  EXPECT_EQ(happened, 1);
  EXPECT_EQ(at_step, 8u);
  EXPECT_THAT(sim.trace().faults,
              ElementsAre(AllOf(Field(&Trace::Fault::name, "one"),
                                Field(&Trace::Fault::occasion, 7u))));
}

// A trace that was cut elsewhere may name more than there is.
TEST(SimulationFaultsTest, WhatTheTraceNamesInVainIsPassedOver) {
  Simulation sim(1,
                 {.workers = 2,
                  .replay = Trace{.faults = {{"nobody's", 3}, {"one", 1000}},
                                  .choices = {{.number = 1, .taken = 1001},
                                              {.number = 9999, .taken = 1}}}});
  Bustle(sim);
  EXPECT_THAT(sim.trace().faults, IsEmpty());
  EXPECT_THAT(sim.trace().choices,
              ElementsAre(AllOf(Field(&Trace::Choice::number, 1u),
                                Field(&Trace::Choice::taken, 1u))));
}

// A trace would give its occasions to another one.
TEST(SimulationFaultsTest, FaultWithoutANameOfItsOwnIsRefused) {
  const auto add = [](std::string name) {
    Simulation(1).MayHappen(std::move(name), [] {});
  };
  EXPECT_DEATH(add(""), "a fault has a name");
  EXPECT_DEATH(add("late timers"), "kind of fault is called 'late timers'");
  EXPECT_DEATH(add("throw at p"), "kind of fault is called 'throw at p'");
  EXPECT_DEATH(add("no memory at p"), "another kind of fault is called");
  add("late");
}

}  // namespace
}  // namespace troupe::testing
