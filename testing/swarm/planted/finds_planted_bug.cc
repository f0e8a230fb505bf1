// The main() of each planted bug: ends with 0 if a swarm finds a seed with
// which it breaks the invariant that it is meant to break, and no other before.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/mutex.h"
#include "troupe/testing/swarm/run.h"

ABSL_FLAG(std::string, invariant, "", "Its name, or several with | between.");
ABSL_FLAG(uint64_t, first_seed, 0, "Where to begin.");
ABSL_FLAG(uint64_t, seeds, 20000, "How many seeds are tried, at most.");

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const std::vector<std::string> expected =
      absl::StrSplit(absl::GetFlag(FLAGS_invariant), '|');
  const uint64_t seeds = absl::GetFlag(FLAGS_seeds);
  const uint64_t first = absl::GetFlag(FLAGS_first_seed);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const troupe::swarm::RunResult result = troupe::swarm::RunSeed(seed);
    if (result.invariant.empty()) continue;
    std::cout << "seed " << seed << ": " << result.report;
    // What is left of that system is not to be ended.
    std::cout.flush();
    if (absl::c_linear_search(expected, result.invariant)) {
      std::_Exit(EXIT_SUCCESS);
    }
    std::cout << "expected '" << absl::GetFlag(FLAGS_invariant)
              << "' to be broken\n"
              << std::flush;
    std::_Exit(EXIT_FAILURE);
  }
  std::cout << "none of " << seeds << " seeds finds the bug\n";
  return EXIT_FAILURE;
}
