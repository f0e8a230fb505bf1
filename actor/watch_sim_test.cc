// Monitors and links (§17, §28), on workers that hand actors over and lose
// their seats, while actors watch each other, and end at any moment.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/watch_world.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

TEST(WatchSimTest, TablesAgreeAtRestWhateverHappens) {
  int64_t downs = 0;
  int64_t ended = 0;
  int64_t exits = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(400);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    internal::QuietLog quiet;
    Random random(seed);
    auto* const executor =
        new DeterministicExecutor({.seed = random.NextUint64(), .workers = 3});
    std::unique_ptr<ActorSystem> system = ActorSystem::CreateOn(
        std::unique_ptr<Executor>(executor), {.logger = Logger(&quiet)});
    internal::WatchWorld world(*system, random.NextUint64());
    for (int i = 0; i < 400; ++i) {
      world.Step();
      for (uint64_t steps = random.Uniform(8); steps > 0; --steps) {
        (void)executor->Step();
      }
      if (random.Uniform(20) == 0) executor->RunFor(absl::Milliseconds(1));
      if (random.Uniform(100) == 0) {
        executor->RunFor(absl::Seconds(1));
        EXPECT_TRUE(world.TablesAgree());
      }
    }
    executor->RunFor(absl::Seconds(1));
    EXPECT_TRUE(world.TablesAgree());
    EXPECT_TRUE(system->Shutdown().ok());
    EXPECT_EQ(system->live_actors(), 0u);
    system = nullptr;
    EXPECT_EQ(world.begun, world.downs + world.ended + world.dropped);
    downs += world.downs;
    ended += world.ended;
    exits += world.exits;
    if (HasFailure()) break;
  }
  // On average some 27, 8 and 31.
  EXPECT_GT(downs, static_cast<int64_t>(5 * seeds.size()));
  EXPECT_GT(ended, static_cast<int64_t>(2 * seeds.size()));
  EXPECT_GT(exits, static_cast<int64_t>(2 * seeds.size()));
}

}  // namespace
}  // namespace troupe
