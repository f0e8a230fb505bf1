// Runs simulations from many seeds: to show that all of them go well, or that
// one of them does not.
//
//   ForEachSeed(1000, [](Simulation& sim) { ... sim.Play(); });
//
// prints, for the first one that fails, what was wrong, what had happened, and
// how to replay it: --test_env=TROUPE_TEST_SEED=<seed>.
#ifndef TROUPE_TESTING_RUN_SIMULATION_H_
#define TROUPE_TESTING_RUN_SIMULATION_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "troupe/testing/simulation.h"

namespace troupe::testing {

// Sets up a system, says what must hold, and plays. What its actors refer to is
// made by Simulation::Make().
using SimulationBody = absl::FunctionRef<void(Simulation&)>;

struct SimulationRun {
  absl::Status failure;  // OK: all properties held.
  uint64_t hash = 0;     // See Simulation::hash().
};

// Runs one simulation.
SimulationRun RunSimulation(uint64_t seed, SimulationBody body,
                            const SimulationOptions& options = {});

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

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_RUN_SIMULATION_H_
