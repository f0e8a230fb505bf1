// A system that takes part in a Simulation: what happens in it counts for the
// hash, is told with a failure, and is decided as the simulation's trace says.
#ifndef TROUPE_TESTING_INTERNAL_SIMULATION_OBSERVATION_H_
#define TROUPE_TESTING_INTERNAL_SIMULATION_OBSERVATION_H_

#include <string>
#include <vector>

#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/simulation.h"

namespace troupe::testing::internal {

class SimulationObservation {
 public:
  // For the executor of such a system. It plays in the simulation's schedule;
  // its choices, and when its timers are late, are decided as all else is.
  static DeterministicExecutor::Options ExecutorOptions(Simulation& simulation);

  // What is told begins with `name`, unless that is empty. Ends before the
  // system goes.
  // REQUIRES: the system is on a DeterministicExecutor with these options.
  SimulationObservation(Simulation& simulation, ActorSystem& system,
                        std::string name);
  SimulationObservation(const SimulationObservation&) = delete;
  SimulationObservation& operator=(const SimulationObservation&) = delete;
  ~SimulationObservation();

 private:
  Simulation& simulation_;
  DeterministicExecutor& executor_;
  std::vector<Subscription> subscriptions_;
};

}  // namespace troupe::testing::internal

#endif  // TROUPE_TESTING_INTERNAL_SIMULATION_OBSERVATION_H_
