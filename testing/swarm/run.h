// One run of a swarm: actors that do at random what actors can do, played from
// a seed, with all invariants looked at.
//
//   const RunResult result = RunSeed(17);
//   if (!result.invariant.empty()) Report(result.report);
//
// The same seed gives the same hash. There are two swarms: that of one system,
// and that of nodes whose hosts and links fail (cluster/). Which one it is says
// the library that a program is linked with.
//
// Thread safety: any thread; runs know nothing of each other. A process can
// have some thousands of those of nodes: it knows 65,535 nodes at most
// (IdSpace::kMaxNodes).
#ifndef TROUPE_TESTING_SWARM_RUN_H_
#define TROUPE_TESTING_SWARM_RUN_H_

#include <cstdint>
#include <string>

namespace troupe::swarm {

struct RunResult {
  // The name of the first that was broken; empty: all hold.
  std::string invariant;
  // How, and what had happened; for people.
  std::string report;
  // Of all that happened.
  uint64_t hash = 0;
  // What happened: messages sent and handled, calls, timers, lives, ...
  uint64_t events = 0;
  uint64_t steps = 0;
};

// If an invariant is broken what was played is left as it is, and may be
// leaked: nobody knows whether it can still be ended.
RunResult RunSeed(uint64_t seed);

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_RUN_H_
