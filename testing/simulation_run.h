// Runs one simulation from its beginning to its end.
#ifndef TROUPE_TESTING_SIMULATION_RUN_H_
#define TROUPE_TESTING_SIMULATION_RUN_H_

#include <cstdint>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "troupe/testing/simulation.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {

// Sets up a system, says what must hold, and plays. What its actors refer to is
// made by Simulation::Make().
using SimulationBody = absl::FunctionRef<void(Simulation&)>;

struct SimulationRun {
  absl::Status failure;  // OK: all properties held.
  std::string failed_property;
  uint64_t hash = 0;  // See Simulation::hash().
  Trace trace;
  uint64_t steps = 0;
};

SimulationRun RunSimulation(uint64_t seed, SimulationBody body,
                            const SimulationOptions& options = {});

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SIMULATION_RUN_H_
