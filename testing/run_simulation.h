// Runs simulations from many seeds: to show that all of them go well, or that
// one of them does not.
//
//   ForEachSeed(1000, [](Simulation& sim) { ... sim.Play(); });
//
// prints, for the first one that fails, what was wrong and what had happened;
// then the least that it takes to fail so (shrink.h); and how to replay both:
//
//   --test_env=TROUPE_TEST_SEED=<seed>
//   --test_env=TROUPE_TEST_SEED=<seed> --test_env=TROUPE_TEST_TRACE=<trace>
//
// The search for the least begins no run any more after 5 s, or as many as the
// environment variable TROUPE_TEST_SHRINK_SECONDS says; 0: there is none. What
// has failed runs again in any case.
#ifndef TROUPE_TESTING_RUN_SIMULATION_H_
#define TROUPE_TESTING_RUN_SIMULATION_H_

#include <cstdint>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/simulation_run.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {

// Runs as many simulations as TestSeeds(count) has seeds (seeds.h), up to the
// first failure, a failed expectation in `body` included: that fails the test,
// with its seed. Every 100th seed, and so the first one, runs twice, and fails
// the test if it took another course: then something depends on more than the
// seed.
void ForEachSeed(int count, SimulationBody body,
                 const SimulationOptions& options = {});

struct FailingSeed {
  uint64_t seed;
  absl::Status failure;
};

// The first of the seeds 0, 1, ... that fails, of `count`: to show that a bug
// is found. Runs it twice; the test fails if that makes a difference. In `body`
// use properties: what is expected there fails the test.
std::optional<FailingSeed> FindFailingSeed(
    int count, SimulationBody body, const SimulationOptions& options = {});

namespace internal {

// What the environment variables of those names say; each may be null.
struct TestVariables {
  const char* seed = nullptr;            // TROUPE_TEST_SEED
  const char* trace = nullptr;           // TROUPE_TEST_TRACE
  const char* shrink_seconds = nullptr;  // TROUPE_TEST_SHRINK_SECONDS
};
std::optional<Trace> TraceToReplay(const TestVariables& variables);
absl::Duration TimeToShrink(const TestVariables& variables);

}  // namespace internal
}  // namespace troupe::testing

#endif  // TROUPE_TESTING_RUN_SIMULATION_H_
