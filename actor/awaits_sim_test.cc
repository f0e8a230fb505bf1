// Whatever can be awaited, on workers that hand actors over and lose their
// seats, while actors are killed and stopped.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/awaits_world.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

TEST(AwaitsSimTest, EndsWithNothingLeftWhateverHappens) {
  int64_t awaits = 0;
  int64_t pages = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(300);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    auto* const executor =
        new DeterministicExecutor({.seed = random.NextUint64(), .workers = 3});
    std::unique_ptr<ActorSystem> system =
        ActorSystem::CreateOn(std::unique_ptr<Executor>(executor), {});
    internal::AwaitsWorld world(*system, random.NextUint64());
    for (int i = 0; i < 300; ++i) {
      world.Step();
      for (uint64_t steps = random.Uniform(8); steps > 0; --steps) {
        (void)executor->Step();
      }
      if (random.Uniform(20) == 0) executor->RunFor(absl::Milliseconds(1));
    }
    world.Close();
    const MonotonicTime before = executor->clock().Now();
    EXPECT_TRUE(system->Shutdown().ok());
    EXPECT_LT(executor->clock().Now() - before, absl::Seconds(5))
        << "nobody waits for ever";
    EXPECT_EQ(system->live_actors(), 0u);
    const uint64_t dead_letters = system->dead_letters();
    system = nullptr;
    EXPECT_EQ(world.alive, 0);
    // Admission may come to an actor that is being killed.
    EXPECT_GE(world.pages_read + static_cast<int64_t>(dead_letters),
              world.pages_admitted);
    awaits += world.awaits;
    pages += world.pages_read;
    if (HasFailure()) break;
  }
  // On average some 200 and 30.
  EXPECT_GT(awaits, static_cast<int64_t>(50 * seeds.size()));
  EXPECT_GT(pages, static_cast<int64_t>(5 * seeds.size()));
}

}  // namespace
}  // namespace troupe
