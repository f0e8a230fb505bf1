// The main() of each swarm's test: actors do at random what actors can do, and
// no invariant is broken. See lives.h, conservation.h, order.h, calls.h,
// ticks.h, watches.h and rest.h, and of nodes sessions.h, lives.h, mail.h,
// calls.h and watches.h in cluster/.
//
// A failure prints its seed; --test_arg=--seed=<seed> replays it. With
// --runs_per_test, each run tries other seeds.
#include <cstdint>
#include <iostream>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/swarm/run.h"

ABSL_FLAG(int64_t, seed, -1, "Runs this seed alone, and prints its hash.");
ABSL_FLAG(int, seeds, 100, "How many seeds are tried.");

namespace troupe::swarm {
namespace {

constexpr int kShards = 4;

void CheckSeed(uint64_t seed, bool twice) {
  const RunResult result = RunSeed(seed);
  ASSERT_EQ(result.invariant, "")
      << result.report << "seed " << seed << ", hash " << std::hex
      << result.hash << std::dec
      << ": replay it with --test_arg=--seed=" << seed;
  if (!twice) return;
  const RunResult again = RunSeed(seed);
  ASSERT_EQ(result.hash, again.hash)
      << "seed " << seed << " depends on more than the seed";
}

class SwarmTest : public ::testing::TestWithParam<int> {};

TEST_P(SwarmTest, NoSeedBreaksAnInvariant) {
  if (absl::GetFlag(FLAGS_seed) >= 0) {
    if (GetParam() != 0) return;
    const uint64_t seed = static_cast<uint64_t>(absl::GetFlag(FLAGS_seed));
    const RunResult result = RunSeed(seed);
    std::cout << "seed " << seed << ": hash " << std::hex << result.hash
              << std::dec << ", " << result.events << " events, "
              << result.steps << " steps\n";
    return CheckSeed(seed, /*twice=*/true);
  }
  uint64_t tried = 0;
  for (const uint64_t seed : testing::TestSeeds(absl::GetFlag(FLAGS_seeds))) {
    if (static_cast<int>(seed % kShards) != GetParam()) continue;
    CheckSeed(seed, /*twice=*/tried++ % 100 == 0);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, SwarmTest, ::testing::Range(0, kShards));

}  // namespace
}  // namespace troupe::swarm

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  // It is on in Debian's Abseil, and takes longer than all that it looks at.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return RUN_ALL_TESTS();
}
