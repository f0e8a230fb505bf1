#include "troupe/testing/run_simulation.h"

#include "gtest/gtest.h"
#include "troupe/testing/seeds.h"

namespace troupe::testing {
namespace {

constexpr int kRepeatEvery = 100;

// Expectations that failed so far in this test.
int FailedExpectations() {
  const ::testing::TestInfo* const test =
      ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return 0;
  const ::testing::TestResult& result = *test->result();
  int failed = 0;
  for (int i = 0; i < result.total_part_count(); ++i) {
    if (result.GetTestPartResult(i).failed()) ++failed;
  }
  return failed;
}

// Runs `seed` again and fails the test if that is not as `first` was.
void ExpectSameAgain(uint64_t seed, const SimulationRun& first,
                     SimulationBody body, const SimulationOptions& options) {
  const SimulationRun second = RunSimulation(seed, body, options);
  // In words, failures may name actors by their ids, which differ.
  if (second.hash == first.hash &&
      second.failure.code() == first.failure.code()) {
    return;
  }
  ADD_FAILURE() << "the same seed took another course when it ran again: "
                   "something depends on more than the seed, such as "
                   "addresses, ids, real time, the order of a hash table, or "
                   "what the run before left behind\n  first: "
                << first.failure << "\n  then: " << second.failure;
}

}  // namespace

SimulationRun RunSimulation(uint64_t seed, SimulationBody body,
                            const SimulationOptions& options) {
  Simulation simulation(seed, options);
  body(simulation);
  SimulationRun run;
  run.failure = simulation.Finish();
  run.hash = simulation.hash();
  return run;
}

void ForEachSeed(int count, SimulationBody body,
                 const SimulationOptions& options) {
  const int failed_before = FailedExpectations();
  int until_repeated = 0;
  for (const uint64_t seed : TestSeeds(count)) {
    SCOPED_TRACE(SeedTrace(seed));
    const SimulationRun run = RunSimulation(seed, body, options);
    if (!run.failure.ok()) ADD_FAILURE() << run.failure;
    if (!run.failure.ok() || FailedExpectations() > failed_before) return;
    if (until_repeated-- > 0) continue;
    until_repeated = kRepeatEvery - 1;
    ExpectSameAgain(seed, run, body, options);
    if (FailedExpectations() > failed_before) return;
  }
}

std::optional<FailingSeed> FindFailingSeed(int count, SimulationBody body,
                                           const SimulationOptions& options) {
  for (int i = 0; i < count; ++i) {
    const uint64_t seed = static_cast<uint64_t>(i);
    const SimulationRun run = RunSimulation(seed, body, options);
    if (run.failure.ok()) continue;
    SCOPED_TRACE(SeedTrace(seed));
    ExpectSameAgain(seed, run, body, options);
    return FailingSeed{seed, run.failure};
  }
  return std::nullopt;
}

}  // namespace troupe::testing
