#include "troupe/testing/run_simulation.h"

#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "troupe/base/check.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/shrink.h"

namespace troupe::testing {
namespace {

constexpr int kRepeatEvery = 100;

// Null outside of tests.
const ::testing::TestInfo* CurrentTest() {
  return ::testing::UnitTest::GetInstance()->current_test_info();
}

// Expectations that failed so far in this test.
int FailedExpectations() {
  const ::testing::TestInfo* const test = CurrentTest();
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

internal::TestVariables Variables() {
  return {.seed = std::getenv("TROUPE_TEST_SEED"),
          .trace = std::getenv("TROUPE_TEST_TRACE"),
          .shrink_seconds = std::getenv("TROUPE_TEST_SHRINK_SECONDS")};
}

std::string HowToReplay(const Shrunk& shrunk) {
  const ::testing::TestInfo* const test = CurrentTest();
  return absl::StrCat(
      "replay with --test_env=TROUPE_TEST_SEED=", shrunk.seed,
      " --test_env=TROUPE_TEST_TRACE=", shrunk.run.trace.ToString(),
      test == nullptr ? ""
                      : absl::StrCat(" --test_filter=", test->test_suite_name(),
                                     ".", test->name()));
}

// What the failure of a seed needs; if nobody wants to know, the run's hash.
std::string WhatItNeeds(uint64_t seed, const SimulationRun& run,
                        SimulationBody body, const SimulationOptions& options) {
  const absl::Duration within = internal::TimeToShrink(Variables());
  if (options.replay.has_value() || within == absl::ZeroDuration()) {
    return absl::StrCat("hash ", absl::Hex(run.hash, absl::kZeroPad16));
  }
  // A shortened course may be one that its code was not written for, and end
  // the process.
  std::cerr << "seed " << seed << " failed";
  if (!run.failure.ok()) std::cerr << ": " << run.failure;
  std::cerr << "\nnow looking for the least that it needs\n";
  const std::optional<Shrunk> shrunk =
      Shrink(seed, body, options, {.within = within});
  if (!shrunk.has_value()) {
    return "it does not fail when it runs again: something depends on more "
           "than the seed";
  }
  return absl::StrCat(shrunk->ToString(), HowToReplay(*shrunk));
}

}  // namespace

namespace internal {

std::optional<Trace> TraceToReplay(const TestVariables& variables) {
  if (variables.trace == nullptr) return std::nullopt;
  TROUPE_CHECK(variables.seed != nullptr,
               "TROUPE_TEST_TRACE is for one seed: it needs TROUPE_TEST_SEED");
  absl::StatusOr<Trace> trace = Trace::Parse(variables.trace);
  TROUPE_CHECK(trace.ok(),
               absl::StrCat("TROUPE_TEST_TRACE: ", trace.status().message()));
  return *std::move(trace);
}

absl::Duration TimeToShrink(const TestVariables& variables) {
  if (variables.shrink_seconds == nullptr) return ShrinkLimits().within;
  int seconds;
  TROUPE_CHECK(
      absl::SimpleAtoi(variables.shrink_seconds, &seconds) && seconds >= 0,
      absl::StrCat("TROUPE_TEST_SHRINK_SECONDS is a number, not ",
                   variables.shrink_seconds));
  return absl::Seconds(seconds);
}

}  // namespace internal

void ForEachSeed(int count, SimulationBody body,
                 const SimulationOptions& options) {
  SimulationOptions how = options;
  if (std::optional<Trace> trace = internal::TraceToReplay(Variables())) {
    how.replay = std::move(trace);
  }
  const int failed_before = FailedExpectations();
  int until_repeated = 0;
  for (const uint64_t seed : TestSeeds(count)) {
    SCOPED_TRACE(SeedTrace(seed));
    const SimulationRun run = RunSimulation(seed, body, how);
    if (!run.failure.ok() || FailedExpectations() > failed_before) {
      const std::string least = WhatItNeeds(seed, run, body, how);
      if (!run.failure.ok()) {
        ADD_FAILURE() << run.failure << "\n" << least;
      } else {
        ADD_FAILURE() << least;
      }
      return;
    }
    if (until_repeated-- > 0) continue;
    until_repeated = kRepeatEvery - 1;
    ExpectSameAgain(seed, run, body, how);
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
