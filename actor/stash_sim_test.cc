// Setting aside on workers that hand actors over and lose their seats: nothing
// is lost, doubled, or handled before what its sender sent earlier.
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/stash_world.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

TEST(StashSimTest, LosesNothingAndKeepsTheOrder) {
  internal::StashCounts all;
  const std::vector<uint64_t> seeds = testing::TestSeeds(200);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
        std::make_unique<DeterministicExecutor>(DeterministicExecutor::Options{
            .seed = random.NextUint64(), .workers = 3}),
        {});
    internal::StashWorld world(*system, random.NextUint64(), /*blocks=*/false);
    world.Begin(/*rounds=*/20);
    const internal::StashCounts counts = world.End();
    all.handled += counts.handled;
    all.set_aside += counts.set_aside;
    if (HasFailure()) break;
  }
  EXPECT_GT(all.set_aside, all.handled / 10);
  EXPECT_GT(all.handled, static_cast<int64_t>(100 * seeds.size()));
}

}  // namespace
}  // namespace troupe
