// Setting aside on threads, while actors move between workers and handlers lose
// their seats. Under TSan this also shows that what is set aside is never
// touched by two threads at once.
#include <cstdint>
#include <memory>

#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/stash_world.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

// §36.
TEST(StashStressTest, LosesNothingAndKeepsTheOrder) {
  for (const uint64_t seed : testing::TestSeeds(3)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 3}).value();
    internal::StashWorld world(*system, seed, /*blocks=*/true);
    world.Begin(/*rounds=*/1000);
    const internal::StashCounts counts = world.End();
    EXPECT_GT(counts.set_aside, 1000);
    EXPECT_GT(counts.handled, 4000);
  }
}

}  // namespace
}  // namespace troupe
