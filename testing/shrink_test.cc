#include "troupe/testing/shrink.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/base/clock.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/simulation_run.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

// So that only what is tried counts.
const ShrinkLimits kPatient{.within = absl::Hours(1)};

// What is left of the first seed, of 100, that fails.
std::optional<Shrunk> ShrinkFirst(SimulationBody body,
                                  const ShrinkLimits& limits = kPatient,
                                  const SimulationOptions& options = {}) {
  std::optional<Shrunk> shrunk;
  for (uint64_t seed = 0; seed < 100 && !shrunk.has_value(); ++seed) {
    shrunk = Shrink(seed, body, options, limits);
  }
  return shrunk;
}

auto IsFault(std::string name) {
  return Field(&Trace::Fault::name, std::move(name));
}

struct Step {
  int left;
};
// Takes so many turns.
class Walker : public Actor<Step> {
 public:
  explicit Walker(std::vector<int>& log, int number = 0)
      : log_(log), number_(number) {}
  void Handle(Step m) {
    log_.push_back(number_);
    if (m.left > 0) self().Send<Step>(m.left - 1);
  }

 private:
  std::vector<int>& log_;
  const int number_;
};

void Walk(Simulation& sim, int turns) {
  auto& log = sim.Make<std::vector<int>>();
  sim.system().Spawn<Walker>(std::ref(log)).value().Send<Step>(turns);
  sim.Play();
}

// Of ten faults, two must happen, in whatever order and whenever.
void BreakTwo(Simulation& sim) {
  auto& broken = sim.Make<std::vector<bool>>(10);
  for (int i = 0; i < 10; ++i) {
    sim.MayHappen(absl::StrCat("break ", i), [&broken, i] { broken[i] = true; },
                  {.probability = 0.1});
  }
  Walk(sim, 50);
  sim.Check("not both", [&broken] { return !(broken[3] && broken[7]); });
}

TEST(ShrinkTest, LeavesTheFaultsThatMatter) {
  const std::optional<Shrunk> shrunk = ShrinkFirst(&BreakTwo);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_THAT(shrunk->run.trace.faults,
              UnorderedElementsAre(IsFault("break 3"), IsFault("break 7")));
  EXPECT_THAT(shrunk->run.trace.choices, IsEmpty());
  EXPECT_TRUE(shrunk->is_minimal);
  EXPECT_GT(shrunk->faults_before, 2u);
  EXPECT_GT(shrunk->choices_before, 0u);
  EXPECT_EQ(shrunk->run.failed_property, "not both");
}

// Two walkers with three turns each: the second has its last turn before the
// first has its second.
void Race(Simulation& sim) {
  auto& log = sim.Make<std::vector<int>>();
  std::vector<ActorRef<Step>> walkers;
  for (int i = 0; i < 2; ++i) {
    walkers.push_back(sim.system().Spawn<Walker>(std::ref(log), i).value());
  }
  sim.Play();
  for (const ActorRef<Step>& walker : walkers) walker.Send<Step>(2);
  sim.MayHappen("nothing", [] {}, {.probability = 0.5, .at_most_times = 9});
  sim.Play();
  sim.Check("the first is no loser",
            [&log] { return log != std::vector<int>{0, 1, 1, 1, 0, 0}; });
}

TEST(ShrinkTest, LeavesTheChoicesThatMatter) {
  const std::optional<Shrunk> shrunk =
      ShrinkFirst(&Race, kPatient, {.workers = 1});
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_THAT(shrunk->run.trace.faults, IsEmpty());
  // Three times the second is taken, where the first is plain, or less.
  EXPECT_LE(shrunk->run.trace.choices.size(), 3u);
  EXPECT_GE(shrunk->run.trace.choices.size(), 1u);
  EXPECT_TRUE(shrunk->is_minimal);
  // Without any one of them it does not fail.
  for (size_t i = 0; i < shrunk->run.trace.choices.size(); ++i) {
    Trace less = shrunk->run.trace;
    less.choices.erase(less.choices.begin() + i);
    EXPECT_THAT(
        RunSimulation(shrunk->seed, &Race, {.workers = 1, .replay = less})
            .failure,
        IsOk());
  }
}

TEST(ShrinkTest, TraceReplaysWhatIsLeft) {
  const std::optional<Shrunk> shrunk = ShrinkFirst(&BreakTwo);
  ASSERT_TRUE(shrunk.has_value());
  const absl::StatusOr<Trace> trace =
      Trace::Parse(shrunk->run.trace.ToString());
  ASSERT_THAT(trace, IsOk());
  const SimulationRun again =
      RunSimulation(shrunk->seed, &BreakTwo, {.replay = *trace});
  EXPECT_EQ(again.hash, shrunk->run.hash);
  EXPECT_EQ(again.failure, shrunk->run.failure);
  EXPECT_EQ(again.trace, shrunk->run.trace);
}

TEST(ShrinkTest, SaysWhatIsLeft) {
  const std::optional<Shrunk> shrunk = ShrinkFirst(&BreakTwo);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_THAT(shrunk->ToString(),
              AllOf(HasSubstr("to 2 of "), HasSubstr("and 0 of "),
                    HasSubstr("\n  fault: break 3, at occasion "),
                    HasSubstr("\n  fault: break 7, at occasion "),
                    HasSubstr("FAILED_PRECONDITION: 'not both': does not hold"),
                    Not(HasSubstr("cut short"))));
}

// What fails otherwise is another failure.
TEST(ShrinkTest, KeepsToTheFailureThatItIsAbout) {
  const auto body = [](Simulation& sim) {
    int& faults = sim.Make<int>(0);
    sim.MayHappen("one", [&faults] { ++faults; },
                  {.probability = 0.5, .at_most_times = 5});
    Walk(sim, 50);
    sim.Check("not five", [&faults] { return faults != 5; });
    sim.Check("something", [&faults] { return faults > 0; });
  };
  const std::optional<Shrunk> shrunk = Shrink(0, body, {}, kPatient);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(shrunk->run.failed_property, "not five");
  EXPECT_THAT(shrunk->run.trace.faults, SizeIs(5));
}

TEST(ShrinkTest, ExpectationsAreFailuresAndKeptFromTheTest) {
  const auto body = [](Simulation& sim) {
    int& faults = sim.Make<int>(0);
    sim.MayHappen("one", [&faults] { ++faults; },
                  {.probability = 0.5, .at_most_times = 8});
    Walk(sim, 50);
    EXPECT_LT(faults, 3);
  };
  const std::optional<Shrunk> shrunk = Shrink(0, body, {}, kPatient);
  EXPECT_FALSE(HasFailure());
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_THAT(shrunk->run.trace.faults, SizeIs(3));
  EXPECT_THAT(shrunk->run.failure, IsOk());
  EXPECT_THAT(shrunk->ToString(), AllOf(HasSubstr("the expectation at "),
                                        HasSubstr("shrink_test")));
}

TEST(ShrinkTest, BodyMayThrowOnAShortenedCourse) {
  const auto body = [](Simulation& sim) {
    int& faults = sim.Make<int>(0);
    sim.MayHappen("one", [&faults] { ++faults; },
                  {.probability = 0.5, .at_most_times = 3});
    Walk(sim, 50);
    if (faults < 2) throw std::runtime_error("too few");
    sim.Check("never", [] { return false; });
  };
  const std::optional<Shrunk> shrunk = Shrink(0, body, {}, kPatient);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(shrunk->run.failed_property, "never");
  EXPECT_THAT(shrunk->run.trace.faults, SizeIs(2));
}

TEST(ShrinkTest, NothingIsLeftOfWhatDoesNotFail) {
  EXPECT_FALSE(Shrink(1, [](Simulation& sim) { Walk(sim, 5); }).has_value());
}

TEST(ShrinkTest, NothingIsLeftOfWhatDoesNotFailAgain) {
  int runs = 0;
  const auto body = [&runs](Simulation& sim) {
    Walk(sim, 5);
    sim.Check("only once", [&runs] { return ++runs > 1; });
  };
  EXPECT_FALSE(Shrink(1, body).has_value());
  EXPECT_EQ(runs, 2);
}

TEST(ShrinkTest, LimitsEndTheSearchWithTheBestSoFar) {
  std::optional<Shrunk> shrunk =
      ShrinkFirst(&BreakTwo, {.within = absl::Hours(1), .runs = 4});
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(shrunk->runs, 4);
  EXPECT_FALSE(shrunk->is_minimal);
  EXPECT_EQ(shrunk->run.failed_property, "not both");
  EXPECT_THAT(shrunk->ToString(), HasSubstr("cut short"));

  ManualClock clock;
  int runs = 0;
  const auto slow = [&](Simulation& sim) {
    if (++runs > 3) clock.Advance(absl::Seconds(2));
    BreakTwo(sim);
  };
  shrunk = Shrink(shrunk->seed, slow, {},
                  {.within = absl::Seconds(5), .clock = &clock});
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(runs, 6);
  EXPECT_EQ(shrunk->runs, 6);
  EXPECT_FALSE(shrunk->is_minimal);
}

// Whether it fails again is found out in any case.
TEST(ShrinkTest, LimitsThatTheFailureAloneExceedsLeaveItWhole) {
  ManualClock clock;
  const auto slow = [&](Simulation& sim) {
    clock.Advance(absl::Seconds(6));
    Walk(sim, 5);
    sim.Check("never", [] { return false; });
  };
  const std::optional<Shrunk> slow_one =
      Shrink(1, slow, {}, {.within = absl::Seconds(5), .clock = &clock});
  ASSERT_TRUE(slow_one.has_value());
  EXPECT_EQ(slow_one->runs, 2);
  EXPECT_FALSE(slow_one->is_minimal);
  EXPECT_EQ(slow_one->run.failed_property, "never");

  const std::optional<Shrunk> only_one = Shrink(
      1, slow, {}, {.within = absl::Hours(1), .runs = 1, .clock = &clock});
  ASSERT_TRUE(only_one.has_value());
  EXPECT_EQ(only_one->runs, 2);
  EXPECT_FALSE(only_one->is_minimal);
}

// What goes on for ever does so with fewer faults, too.
TEST(ShrinkTest, CoursesThatDoNotEndAreCutDown) {
  const auto body = [](Simulation& sim) {
    sim.MayHappen("nothing", [] {}, {.probability = 0.5, .at_most_times = 9});
    Walk(sim, 1'000'000);
  };
  const std::optional<Shrunk> shrunk =
      Shrink(0, body, {.max_steps = 500}, kPatient);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_THAT(shrunk->run.failure,
              StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(shrunk->run.trace, Trace());
}

// A wait looks at no failure: it goes on for more steps than a shortened course
// may take.
TEST(ShrinkTest, WaitsMayTakeTheStepsThatTheirCourseMayNot) {
  const auto body = [](Simulation& sim) {
    bool& happened = sim.Make<bool>(false);
    sim.MayHappen("it", [&happened] { happened = true; }, {.probability = 1});
    auto& log = sim.Make<std::vector<int>>();
    const auto walker = sim.system().Spawn<Walker>(std::ref(log)).value();
    Probe<Step> probe(sim.system());
    walker.Send<Step>(5);
    sim.Play();
    if (!happened) walker.Send<Step>(5'000);
    (void)probe.Expect<Step>();
    sim.Check("never", [] { return false; });
  };
  const std::optional<Shrunk> shrunk = Shrink(0, body, {}, kPatient);
  ASSERT_TRUE(shrunk.has_value());
  EXPECT_EQ(shrunk->run.failed_property, "never");
  EXPECT_THAT(shrunk->run.trace.faults, ElementsAre(IsFault("it")));
}

}  // namespace
}  // namespace troupe::testing
