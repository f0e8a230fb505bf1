#include "troupe/testing/run_simulation.h"

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/simulation_run.h"
#include "troupe/testing/status_matchers.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// A shared counter that is read in one turn and written in the next.
struct Increment {};
struct Write {
  int number;
};
class Careless : public Actor<Increment, Write> {
 public:
  explicit Careless(int& shared) : shared_(shared) {}
  void Handle(Increment) { self().Send<Write>(shared_ + 1); }
  void Handle(Write m) { shared_ = m.number; }

 private:
  int& shared_;
};

// Sometimes two of them read before one writes.
void LoseAnUpdate(Simulation& sim) {
  int& shared = sim.Make<int>(0);
  for (int i = 0; i < 2; ++i) {
    sim.system().Spawn<Careless>(std::ref(shared)).value().Send<Increment>();
  }
  sim.AtRest("both are counted", [&shared] { return shared == 2; });
  sim.Play();
}

void CountOnce(Simulation& sim) {
  int& shared = sim.Make<int>(0);
  sim.system().Spawn<Careless>(std::ref(shared)).value().Send<Increment>();
  sim.AtRest("it is counted", [&shared] { return shared == 1; });
  sim.Play();
}

TEST(RunSimulationTest, TheSameSeedHasTheSameHash) {
  const SimulationRun first = RunSimulation(1, &CountOnce);
  EXPECT_THAT(first.failure, IsOk());
  EXPECT_EQ(RunSimulation(1, &CountOnce).hash, first.hash);
  EXPECT_NE(RunSimulation(2, &CountOnce).hash, first.hash);
}

TEST(RunSimulationTest, LooksForPropertiesThatWereNeverLookedAt) {
  const auto idle = [](Simulation& sim) {
    sim.AtRest("it rests", [] { return true; });
  };
  EXPECT_THAT(RunSimulation(1, idle).failure,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("never at rest")));
}

TEST(RunSimulationTest, FindsTheSeedThatFails) {
  const std::optional<FailingSeed> found = FindFailingSeed(100, &LoseAnUpdate);
  ASSERT_TRUE(found.has_value());
  EXPECT_THAT(found->failure,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("'both are counted': does not hold")));
  EXPECT_THAT(RunSimulation(found->seed, &LoseAnUpdate).failure,
              StatusIs(absl::StatusCode::kFailedPrecondition));
  for (uint64_t seed = 0; seed < found->seed; ++seed) {
    EXPECT_THAT(RunSimulation(seed, &LoseAnUpdate).failure, IsOk());
  }
}

TEST(RunSimulationTest, FindsNothingWhereNothingFails) {
  int runs = 0;
  const auto counted = [&runs](Simulation& sim) {
    ++runs;
    CountOnce(sim);
  };
  EXPECT_EQ(FindFailingSeed(20, counted), std::nullopt);
  EXPECT_EQ(runs, 20);
}

TEST(ForEachSeedTest, RepeatsEachHundredthSeed) {
  std::vector<uint64_t> seeds;
  ForEachSeed(201, [&seeds](Simulation& sim) { seeds.push_back(sim.seed()); });
  if (std::getenv("TROUPE_TEST_SEED") != nullptr) {
    EXPECT_EQ(seeds.size(), 2u);
    return;
  }
  ASSERT_EQ(seeds.size(), 204u);
  EXPECT_EQ(seeds[0], seeds[1]);
  EXPECT_NE(seeds[1], seeds[2]);
  EXPECT_EQ(seeds[101], seeds[102]);
  EXPECT_EQ(seeds[202], seeds[203]);
}

TEST(ForEachSeedTest, NamesTheSeedThatFails) {
  EXPECT_NONFATAL_FAILURE(ForEachSeed(1,
                                      [](Simulation& sim) {
                                        sim.Check("nothing is wrong",
                                                  [] { return false; });
                                      }),
                          "--test_env=TROUPE_TEST_SEED=");
  EXPECT_NONFATAL_FAILURE(ForEachSeed(10,
                                      [](Simulation& sim) {
                                        sim.Check("nothing is wrong",
                                                  [] { return false; });
                                      }),
                          "'nothing is wrong': does not hold");
}

// Sometimes two of them read before one writes; and what has nothing to do with
// it may happen.
void LoseAnUpdateAmongFaults(Simulation& sim) {
  for (int i = 0; i < 5; ++i) {
    sim.MayHappen(absl::StrCat("nothing ", i), [] {}, {.probability = 0.5});
  }
  LoseAnUpdate(sim);
}

TEST(ForEachSeedTest, TellsTheLeastThatTheFailureNeeds) {
  if (std::getenv("TROUPE_TEST_SEED") != nullptr ||
      std::getenv("TROUPE_TEST_SHRINK_SECONDS") != nullptr) {
    GTEST_SKIP() << "looks at what happens without them";
  }
  const auto run = [] { ForEachSeed(100, &LoseAnUpdateAmongFaults); };
  EXPECT_NONFATAL_FAILURE(run(), " runs to 0 of ");
  EXPECT_NONFATAL_FAILURE(run(), "'both are counted': does not hold");
  EXPECT_NONFATAL_FAILURE(run(), " --test_env=TROUPE_TEST_TRACE=/");
  EXPECT_NONFATAL_FAILURE(run(),
                          " --test_filter=ForEachSeedTest.TellsTheLeast");
}

// Which may end the process.
TEST(ForEachSeedTest, TellsOfTheFailureBeforeItLooksForTheLeast) {
  if (std::getenv("TROUPE_TEST_TRACE") != nullptr ||
      std::getenv("TROUPE_TEST_SHRINK_SECONDS") != nullptr) {
    GTEST_SKIP() << "looks at what happens without them";
  }
  ::testing::internal::CaptureStderr();
  EXPECT_NONFATAL_FAILURE(ForEachSeed(1,
                                      [](Simulation& sim) {
                                        sim.Check("nothing is wrong",
                                                  [] { return false; });
                                      }),
                          "nothing is wrong");
  const std::string told = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(told, HasSubstr("'nothing is wrong': does not hold"));
  EXPECT_LT(told.find("nothing is wrong"), told.find("now looking for"));
}

TEST(ForEachSeedTest, TellsTheHashOfWhatIsReplayed) {
  const auto body = [](Simulation& sim) {
    sim.Check("nothing is wrong", [] { return false; });
  };
  const SimulationOptions replay{.replay = Trace()};
  const uint64_t seed = TestSeeds(1).front();
  const std::string hash = absl::StrCat(
      "hash ",
      absl::Hex(RunSimulation(seed, body, replay).hash, absl::kZeroPad16));
  EXPECT_NONFATAL_FAILURE(ForEachSeed(1, body, replay), hash);
}

TEST(ForEachSeedTest, SaysWhenNothingFailsAgain) {
  int runs = 0;
  EXPECT_NONFATAL_FAILURE(
      ForEachSeed(10,
                  [&runs](Simulation& sim) {
                    sim.Check("again", [&runs] { return ++runs > 1; });
                  }),
      "it does not fail when it runs again");
}

TEST(TestVariablesTest, NameATraceAndATimeToShrink) {
  using internal::TimeToShrink;
  using internal::TraceToReplay;
  EXPECT_EQ(TraceToReplay({}), std::nullopt);
  EXPECT_EQ(TraceToReplay({.seed = "1"}), std::nullopt);
  EXPECT_EQ(
      TraceToReplay({.seed = "1", .trace = "a@2/3:4"}),
      (Trace{.faults = {{"a", 2}}, .choices = {{.number = 3, .taken = 4}}}));
  EXPECT_EQ(TimeToShrink({}), absl::Seconds(5));
  EXPECT_EQ(TimeToShrink({.shrink_seconds = "0"}), absl::ZeroDuration());
  EXPECT_EQ(TimeToShrink({.shrink_seconds = "60"}), absl::Minutes(1));
}

TEST(TestVariablesDeathTest, RefuseWhatMakesNoSense) {
  EXPECT_DEATH(internal::TraceToReplay({.trace = "/"}),
               "needs TROUPE_TEST_SEED");
  EXPECT_DEATH(internal::TraceToReplay({.seed = "1", .trace = "x"}),
               "TROUPE_TEST_TRACE: 'x' in the trace 'x'");
  EXPECT_DEATH(internal::TimeToShrink({.shrink_seconds = "soon"}),
               "is a number, not soon");
  EXPECT_DEATH(internal::TimeToShrink({.shrink_seconds = "-1"}),
               "is a number, not -1");
}

TEST(ForEachSeedTest, StopsAtTheFirstFailedExpectation) {
  const auto run = [] {
    std::set<uint64_t> seeds;
    ForEachSeed(10, [&seeds](Simulation& sim) {
      seeds.insert(sim.seed());
      EXPECT_LT(seeds.size(), 4u);
    });
    std::exit(static_cast<int>(seeds.size()));
  };
  if (std::getenv("TROUPE_TEST_SEED") == nullptr) {
    EXPECT_EXIT(run(), ::testing::ExitedWithCode(4), "");
  }
}

TEST(ForEachSeedTest, NoticesWhatDependsOnMoreThanTheSeed) {
  int runs = 0;
  EXPECT_NONFATAL_FAILURE(
      ForEachSeed(10,
                  [&runs](Simulation& sim) {
                    sim.Record(absl::StrCat("run ", ++runs));
                  }),
      "the same seed took another course");
}

}  // namespace
}  // namespace troupe::testing
