#include "troupe/testing/simulation_run.h"

namespace troupe::testing {

SimulationRun RunSimulation(uint64_t seed, SimulationBody body,
                            const SimulationOptions& options) {
  Simulation simulation(seed, options);
  body(simulation);
  SimulationRun run;
  run.failure = simulation.Finish();
  run.failed_property = simulation.failed_property();
  run.hash = simulation.hash();
  run.trace = simulation.trace();
  run.steps = simulation.steps();
  return run;
}

}  // namespace troupe::testing
