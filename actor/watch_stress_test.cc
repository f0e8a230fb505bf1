// Monitors and links (§17, §28) on threads: watching, linking, unlinking and
// ending race. Under TSan: what each side did is visible to the other.
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/watch_world.h"
#include "troupe/base/clock.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

TEST(WatchStressTest, TablesAgreeAtRestWhateverHappens) {
  for (const uint64_t seed : testing::TestSeeds(3)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    internal::QuietLog quiet;
    Random random(seed);
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 3, .logger = Logger(&quiet)}).value();
    internal::WatchWorld world(*system, random.NextUint64());
    const MonotonicTime deadline =
        system->executor().clock().Now() + absl::Minutes(5);
    // On a busy machine many actors are killed before they do anything.
    const auto has_seen_little = [&world] {
      return world.downs < 50 || world.ended < 50 || world.exits < 50;
    };
    for (int phase = 0; phase < 5 || has_seen_little(); ++phase) {
      ASSERT_LT(system->executor().clock().Now(), deadline);
      for (int i = 0; i < 2000; ++i) {
        world.Step();
        if (random.Uniform(4) == 0) std::this_thread::yield();
      }
      // What was caused may take its time; then it stays as it is.
      EXPECT_TRUE(system->executor().RunUntil(
          [&] { return world.TablesAgree() && world.TablesAgree(); },
          deadline));
    }
    EXPECT_TRUE(system->Shutdown().ok());
    EXPECT_EQ(system->live_actors(), 0u);
    system = nullptr;
    EXPECT_EQ(world.begun, world.downs + world.ended + world.dropped);
  }
}

}  // namespace
}  // namespace troupe
