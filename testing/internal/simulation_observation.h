// A system that takes part in a Simulation: what happens in it counts for the
// hash, and is told with a failure.
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
  // What is told begins with `name`, unless that is empty. Ends before the
  // system goes.
  // REQUIRES: the system is on a DeterministicExecutor of the simulation's
  // schedule.
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
