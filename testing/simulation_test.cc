#include "troupe/testing/simulation.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

struct Add {
  int number;
};
struct Sum {
  using Reply = int;
};

// Writes what it is sent into `log`.
class Counter : public Actor<Add, Sum> {
 public:
  explicit Counter(std::vector<int>& log) : log_(log) {}
  void Handle(Add m) { log_.push_back(m.number); }
  int Handle(Sum) { return static_cast<int>(log_.size()); }

 private:
  std::vector<int>& log_;
};

struct Tick {};

// Counts ticks, one each second: `limit` of them, or for ever.
class Clockwork : public Actor<Tick> {
 public:
  Clockwork(int& ticks, int limit) : ticks_(ticks), limit_(limit) {}
  void PostStart() { ticker_ = SendEvery<Tick>(absl::Seconds(1)); }
  void Handle(Tick) {
    if (++ticks_ == limit_) ticker_.Cancel();
  }

 private:
  int& ticks_;
  const int limit_;
  Timer ticker_;
};

// Two senders whose messages meet in one log, in an order that the seed
// decides.
struct Start {};
class Sender : public Actor<Start> {
 public:
  Sender(ActorRef<Add> to, int number) : to_(to), number_(number) {}
  void Handle(Start) {
    for (int i = 0; i < 5; ++i) to_.Send<Add>(number_);
  }

 private:
  const ActorRef<Add> to_;
  const int number_;
};

std::vector<int> OrderWith(uint64_t seed, uint64_t& hash) {
  Simulation sim(seed);
  auto& log = sim.Make<std::vector<int>>();
  const auto counter = sim.system().Spawn<Counter>(std::ref(log)).value();
  for (int number : {1, 2, 3}) {
    sim.system().Spawn<Sender>(counter, number).value().Send<Start>();
  }
  sim.Play();
  EXPECT_THAT(log, SizeIs(15));
  hash = sim.hash();
  return log;
}

TEST(SimulationTest, SeedsDecideTheCourse) {
  std::set<std::vector<int>> orders;
  std::set<uint64_t> hashes;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    uint64_t hash = 0;
    uint64_t again = 1;
    const std::vector<int> order = OrderWith(seed, hash);
    EXPECT_EQ(OrderWith(seed, again), order);
    EXPECT_EQ(hash, again);
    orders.insert(order);
    hashes.insert(hash);
  }
  EXPECT_GT(orders.size(), 5u);
  // Two may have taken the same course.
  EXPECT_GT(hashes.size(), 40u);
}

TEST(SimulationTest, HashCoversWhatIsRecorded) {
  const auto hash_of = [](absl::string_view what) {
    Simulation sim(1);
    sim.Record(what);
    return sim.hash();
  };
  EXPECT_EQ(hash_of("a"), hash_of("a"));
  EXPECT_NE(hash_of("a"), hash_of("b"));
}

// The counts of turns and of what is ready are the same, whoever goes first.
TEST(SimulationTest, HashKnowsWhichActorHadATurn) {
  const auto hash_of = [](std::vector<Trace::Choice> choices,
                          std::vector<int>& order) {
    Simulation sim(1, {.workers = 1, .replay = Trace{.choices = choices}});
    auto& log = sim.Make<std::vector<int>>();
    std::vector<ActorRef<Add>> counters;
    while (counters.size() < 2) {
      counters.push_back(sim.system().Spawn<Counter>(std::ref(log)).value());
      sim.Play();
    }
    counters[0].Send<Add>(0);
    counters[1].Send<Add>(1);
    sim.Play();
    order = log;
    return sim.hash();
  };
  std::vector<int> plain, swapped;
  const uint64_t plain_hash = hash_of({}, plain);
  // Before it, each of the two first turns could have lost its worker.
  const uint64_t swapped_hash = hash_of({{.number = 2, .taken = 1}}, swapped);
  EXPECT_THAT(plain, ElementsAre(0, 1));
  EXPECT_THAT(swapped, ElementsAre(1, 0));
  EXPECT_NE(plain_hash, swapped_hash);
}

TEST(SimulationTest, PlaysToTheLastTimer) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 90), IsOk());
  sim.Play();
  EXPECT_EQ(ticks, 90);
  EXPECT_EQ(sim.now(), absl::Seconds(90));
}

TEST(SimulationTest, PlaysForAsLongAsAsked) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), -1), IsOk());
  sim.PlayFor(absl::Seconds(10) + absl::Milliseconds(500));
  EXPECT_EQ(ticks, 10);
  EXPECT_EQ(sim.now(), absl::Seconds(10) + absl::Milliseconds(500));
}

TEST(SimulationTest, PlaysUntilTheConditionHolds) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 20), IsOk());
  EXPECT_TRUE(sim.PlayUntil([&] { return ticks == 7; }));
  EXPECT_EQ(ticks, 7);
  EXPECT_FALSE(sim.PlayUntil([&] { return ticks == 15; }, absl::Seconds(3)));
  EXPECT_EQ(sim.now(), absl::Seconds(10));
  EXPECT_FALSE(sim.PlayUntil([&] { return ticks == 21; }));
  EXPECT_EQ(ticks, 20);
}

TEST(SimulationTest, FailsWhereNoRestComes) {
  Simulation sim(7, {.max_steps = 1000});
  int& ticks = sim.Make<int>(0);
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), -1), IsOk());
  sim.AtRest("it rests", [] { return true; });
  sim.Play();
  EXPECT_THAT(sim.Finish(), StatusIs(absl::StatusCode::kResourceExhausted,
                                     HasSubstr("more than 1000 steps")));
}

TEST(SimulationTest, LooksBetweenTurnsAtWhatMustAlwaysHold) {
  Simulation sim(3);
  int& ticks = sim.Make<int>(0);
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 10), IsOk());
  sim.Always("fewer than 4 ticks", [&]() -> absl::Status {
    if (ticks < 4) return absl::OkStatus();
    return absl::OutOfRangeError(absl::StrCat("there are ", ticks));
  });
  sim.Play();
  // Play() ended there, and does not go on.
  EXPECT_EQ(ticks, 4);
  EXPECT_THAT(sim.failure(),
              StatusIs(absl::StatusCode::kOutOfRange,
                       AllOf(StartsWith("'fewer than 4 ticks': there are 4\n"),
                             HasSubstr("seed 3"), HasSubstr("at 4s"),
                             HasSubstr("Clockwork #1 started"))));
  sim.Play();
  sim.PlayFor(absl::Seconds(5));
  EXPECT_FALSE(sim.PlayUntil([] { return true; }));
  EXPECT_EQ(ticks, 4);
}

TEST(SimulationTest, LooksWhileTheTestWaits) {
  Simulation sim(3);
  auto& log = sim.Make<std::vector<int>>();
  const auto counter = sim.system().Spawn<Counter>(std::ref(log)).value();
  sim.Always("the log is empty", [&] { return log.empty(); });
  counter.Send<Add>(1);
  EXPECT_THAT(counter.Call<Sum>().Wait(), IsOkAndHolds(1));
  EXPECT_THAT(sim.failure(), StatusIs(absl::StatusCode::kFailedPrecondition,
                                      HasSubstr("'the log is empty': does")));
}

TEST(SimulationTest, ProbesPlayInVirtualTime) {
  Simulation sim(5);
  Probe<Add> probe(sim.system());
  EXPECT_THAT(probe.ExpectNothing(absl::Hours(24)), IsOk());
  EXPECT_EQ(sim.now(), absl::Hours(24));
}

TEST(SimulationTest, LooksAtRestOnlyWhenPlayHasEnded) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 10), IsOk());
  int looks = 0;
  sim.AtRest("all ticks came", [&] {
    ++looks;
    return ticks == 10;
  });
  sim.PlayFor(absl::Seconds(5));
  EXPECT_EQ(looks, 0);
  sim.Play();
  EXPECT_EQ(looks, 1);
  EXPECT_THAT(sim.Finish(), IsOk());
}

TEST(SimulationTest, FailsWhatNeverCameToRest) {
  Simulation sim(1);
  sim.AtRest("nothing is lost", [] { return true; });
  sim.PlayFor(absl::Seconds(5));
  EXPECT_THAT(sim.failure(), IsOk());
  EXPECT_THAT(sim.Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("'nothing is lost': never at rest")));
}

TEST(SimulationTest, TheFirstFailureStays) {
  Simulation sim(1);
  sim.Check("good", [] { return true; });
  EXPECT_THAT(sim.failure(), IsOk());
  sim.Check("bad", [] { return absl::DataLossError("gone"); });
  sim.Check("worse", [] { return false; });
  EXPECT_THAT(sim.Finish(), StatusIs(absl::StatusCode::kDataLoss,
                                     StartsWith("'bad': gone\n")));
}

TEST(SimulationTest, KillsAtAPointThatTheSeedDecides) {
  std::set<int> points;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Simulation sim(seed);
    int& ticks = sim.Make<int>(0);
    const auto victim =
        sim.system().Spawn<Clockwork>(std::ref(ticks), 20).value();
    sim.MayKill("clockwork", [=] { return victim; }, {.probability = 0.05});
    sim.Play();
    points.insert(ticks);
    if (ticks == 20) continue;
    sim.Check("tell", [] { return false; });
    EXPECT_THAT(std::string(sim.failure().message()),
                AllOf(HasSubstr("fault: kill clockwork"),
                      HasSubstr("Clockwork #1 ended: killed")));
  }
  EXPECT_GT(points.size(), 5u);
}

TEST(SimulationTest, LetsOffWhoHasEnded) {
  Simulation sim(1);
  sim.MayKill("nobody", [] { return AnyActorRef(); }, {.probability = 1});
  int& ticks = sim.Make<int>(0);
  const auto victim = sim.system().Spawn<Clockwork>(std::ref(ticks), 3).value();
  ASSERT_THAT(victim.StopAndWait(), IsOk());
  sim.MayKill("late", [=] { return victim; }, {.probability = 1});
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 3), IsOk());
  sim.Play();
  sim.Check("tell", [] { return false; });
  EXPECT_THAT(std::string(sim.failure().message()), Not(HasSubstr("fault")));
}

TEST(SimulationTest, FaultsHappenAtMostAsOftenAsAllowed) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  int always = 0;
  int never = 0;
  sim.MayHappen("always", [&] { ++always; },
                {.probability = 1, .at_most_times = 3});
  sim.MayHappen("never", [&] { ++never; }, {.probability = 0});
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 20), IsOk());
  sim.Play();
  EXPECT_EQ(always, 3);
  EXPECT_EQ(never, 0);
}

TEST(SimulationTest, FaultMayAddOthers) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  int adding = 0;
  std::vector<int> added(3);
  sim.MayHappen("adds",
                [&] {
                  ++adding;
                  for (int& happened : added) {
                    sim.MayHappen("added", [&happened] { ++happened; },
                                  {.probability = 1, .at_most_times = 2});
                  }
                },
                {.probability = 1, .at_most_times = 1});
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 20), IsOk());
  sim.Play();
  EXPECT_EQ(adding, 1);
  EXPECT_THAT(added, ElementsAre(2, 2, 2));
}

TEST(SimulationTest, PropertyMayAddOthers) {
  Simulation sim(1);
  int& ticks = sim.Make<int>(0);
  std::vector<int> always;
  std::vector<int> at_rest;
  sim.Always("adds", [&] {
    if (!always.empty()) return true;
    always.resize(3);
    for (int& looks : always) {
      sim.Always("added", [&looks] { return ++looks > 0; });
    }
    return true;
  });
  sim.AtRest("adds", [&] {
    if (!at_rest.empty()) return true;
    at_rest.resize(3);
    for (int& looks : at_rest) {
      sim.AtRest("added", [&looks] { return ++looks > 0; });
    }
    return true;
  });
  ASSERT_THAT(sim.system().Spawn<Clockwork>(std::ref(ticks), 3), IsOk());
  sim.Play();
  EXPECT_THAT(always, Each(Gt(0)));
  EXPECT_THAT(at_rest, Each(0));
  sim.Play();
  EXPECT_THAT(at_rest, Each(1));
  EXPECT_THAT(sim.Finish(), IsOk());
}

// Throws where the simulation says so.
class Fragile : public Actor<Tick> {
 public:
  explicit Fragile(Simulation& sim) : sim_(sim) {}
  void Handle(Tick) {
    sim_.MayThrow("the tick", {.probability = 1, .at_most_times = 1});
  }

 private:
  Simulation& sim_;
};

TEST(SimulationTest, ThrowsInHandlersThatComeBy) {
  Simulation sim(1);
  const auto first = sim.system().Spawn<Fragile>(std::ref(sim)).value();
  const auto second = sim.system().Spawn<Fragile>(std::ref(sim)).value();
  first.Send<Tick>();
  sim.Play();
  EXPECT_EQ(first.status(), ActorStatus::kStopped);
  second.Send<Tick>();
  sim.Play();
  EXPECT_NE(second.status(), ActorStatus::kStopped);
  sim.Check("tell", [] { return false; });
  EXPECT_THAT(std::string(sim.failure().message()),
              AllOf(HasSubstr("fault: throw at the tick"),
                    HasSubstr("injected fault at the tick")));
}

// What actors refer to is there until the last of them has gone.
class Farewell : public Actor<Tick> {
 public:
  explicit Farewell(int& left) : left_(left) {}
  ~Farewell() { ++left_; }
  void Handle(Tick) {}

 private:
  int& left_;
};
struct Outlives {
  explicit Outlives(int& told) : told_(told) {}
  ~Outlives() { told_ = left; }
  int left = 0;

 private:
  int& told_;
};

TEST(SimulationTest, WhatItMadeOutlivesTheActors) {
  int told = 0;
  {
    Simulation sim(1);
    auto& outlives = sim.Make<Outlives>(told);
    ASSERT_THAT(sim.system().Spawn<Farewell>(std::ref(outlives.left)), IsOk());
    ASSERT_THAT(sim.system().Spawn<Farewell>(std::ref(outlives.left)), IsOk());
  }
  EXPECT_EQ(told, 2);
}

TEST(SimulationTest, LooksAtNothingWhenItEnds) {
  int looks = 0;
  int faults = 0;
  {
    Simulation sim(1);
    auto& log = sim.Make<std::vector<int>>();
    const auto counter = sim.system().Spawn<Counter>(std::ref(log)).value();
    sim.Always("counted", [&looks] { return ++looks > 0; });
    sim.MayHappen("counted", [&faults] { ++faults; }, {.probability = 1});
    counter.Send<Add>(1);
    EXPECT_EQ(sim.steps(), 0u);
  }
  EXPECT_EQ(looks, 0);
  EXPECT_EQ(faults, 0);
}

}  // namespace
}  // namespace troupe::testing
