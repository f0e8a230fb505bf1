// One run of the swarm of nodes: actors on several nodes that do at random what
// actors can do, while hosts and links fail; played from a seed, with all
// invariants looked at.
//
//   const RunResult result = RunSeed(17);
//   if (!result.invariant.empty()) Report(result.report);
//
// The same seed gives the same hash.
//
// Thread safety: any thread; runs know nothing of each other. A process can
// have some thousands: it knows 65,535 nodes at most (IdSpace::kMaxNodes).
#ifndef TROUPE_TESTING_SWARM_CLUSTER_RUN_H_
#define TROUPE_TESTING_SWARM_CLUSTER_RUN_H_

#include <cstdint>
#include <string>

namespace troupe::cluster_swarm {

struct RunResult {
  // The name of the first that was broken; empty: all hold.
  std::string invariant;
  // How, and what had happened; for people.
  std::string report;
  // Of all that happened.
  uint64_t hash = 0;
  // What happened: messages sent and handled, calls, ends, sessions, ...
  uint64_t events = 0;
  uint64_t steps = 0;
};

RunResult RunSeed(uint64_t seed);

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_RUN_H_
