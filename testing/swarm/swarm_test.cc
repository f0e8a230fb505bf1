// Actors do at random what actors can do, and no invariant is broken: see
// lives.h, conservation.h, order.h, calls.h, ticks.h, watches.h, rest.h.
//
// A failure prints its seed; --test_arg=--seed=<seed> replays it.
#include <cstdint>
#include <iostream>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"
#include "troupe/testing/swarm/run.h"

ABSL_FLAG(int64_t, seed, -1, "Runs this seed alone, and prints its hash.");
ABSL_FLAG(uint64_t, seeds, 1000, "How many seeds are tried, from 0 on.");

namespace troupe::swarm {
namespace {

constexpr uint64_t kShards = 4;

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

class SwarmTest : public ::testing::TestWithParam<uint64_t> {};

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
  const uint64_t seeds = absl::GetFlag(FLAGS_seeds);
  for (uint64_t seed = GetParam(); seed < seeds; seed += kShards) {
    CheckSeed(seed, /*twice=*/seed / kShards % 100 == 0);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, SwarmTest,
                         ::testing::Range<uint64_t>(0, kShards));

}  // namespace
}  // namespace troupe::swarm

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  // It is on in Debian's Abseil, and takes longer than all that it looks at.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  return RUN_ALL_TESTS();
}
