// Cuts a failing simulation down to what the failure needs: the fewest faults,
// then the fewest choices that are not plain ones.
//
//   if (std::optional<Shrunk> shrunk = Shrink(5, body)) {
//     std::cout << shrunk->ToString();
//   }
//
// Runs the simulation again and again, with some of its faults and choices left
// out, and keeps what still fails in the same way: the same property, with the
// same status code, or the same expectation. What expectations fail meanwhile
// is not reported. ForEachSeed() does it by itself (run_simulation.h).
//
// Thread safety: none; a simulation is for one thread.
#ifndef TROUPE_TESTING_SHRINK_H_
#define TROUPE_TESTING_SHRINK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/testing/simulation_options.h"
#include "troupe/testing/simulation_run.h"

namespace troupe::testing {

// Ends the search, with the best that it has found. The failure itself runs,
// and runs again, whatever that takes.
struct ShrinkLimits {
  absl::Duration within = absl::Seconds(5);
  int runs = 10'000;
  const Clock* clock = &RealClock();
};

struct Shrunk {
  uint64_t seed = 0;
  SimulationRun run;        // The shortest one that failed.
  std::string expectation;  // That failed, if it is no property.
  // What the seed had made of it.
  size_t faults_before = 0;
  size_t choices_before = 0;
  int runs = 0;
  // Nothing that is left can be left out, as far as was tried.
  bool is_minimal = false;

  // What is left, and how it failed.
  std::string ToString() const;
};

// Null: the simulation from that seed does not fail, or not when it takes the
// same course again; then something depends on more than the seed.
std::optional<Shrunk> Shrink(uint64_t seed, SimulationBody body,
                             const SimulationOptions& options = {},
                             const ShrinkLimits& limits = {});

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SHRINK_H_
