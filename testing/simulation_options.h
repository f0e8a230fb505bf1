// How a simulation is made, and how often its faults happen.
#ifndef TROUPE_TESTING_SIMULATION_OPTIONS_H_
#define TROUPE_TESTING_SIMULATION_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <stdexcept>

#include "troupe/actor/actor_system.h"
#include "troupe/testing/trace.h"

namespace troupe::testing {

struct SimulationOptions {
  // Virtual workers. 0: from 1 to 4, as the seed decides.
  int workers = 0;
  // A run that takes more steps than this is a failure: something goes on for
  // ever.
  uint64_t max_steps = 1'000'000;
  // Who waits, such as a probe, does so in spite of a failure: what still waits
  // after so many steps ends the process. 0: twice max_steps.
  uint64_t max_steps_of_waits = 0;
  // The logger is the simulation's: what is logged is told with a failure.
  ActorSystem::Options system = {};
  // Takes this course. Without it the seed decides; with it, the seed decides
  // only what is no choice and no fault, such as Simulation::random().
  std::optional<Trace> replay = {};
};

// How often something happens that the seed decides.
struct Chance {
  // At each occasion: for most faults, at each step.
  double probability = 0.02;
  int at_most_times = 1;
};

// What Simulation::MayThrow() throws.
class InjectedFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SIMULATION_OPTIONS_H_
