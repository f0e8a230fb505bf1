// Whatever can be awaited, on threads, with others that complete, kill and stop
// at any moment. Under TSan: what each side did is visible to the other.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/internal/awaits_world.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kCompleters = 2;

TEST(AwaitsStressTest, EndsWithNothingLeftWhateverHappens) {
  for (const uint64_t seed : testing::TestSeeds(3)) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    std::unique_ptr<ActorSystem> system =
        ActorSystem::Create({.workers = 3, .blocking_threads = 2}).value();
    internal::AwaitsWorld world(*system, random.NextUint64());
    std::atomic<bool> over{false};
    std::vector<std::thread> completers;
    for (int i = 0; i < kCompleters; ++i) {
      completers.emplace_back([&, random = Random(seed + i)]() mutable {
        while (!over) {
          std::optional<Completer<internal::Counted>> one =
              world.TakeCompleter();
          if (!one.has_value()) {
            std::this_thread::yield();
            continue;
          }
          world.Finish(*std::move(one), random);
        }
      });
    }
    // Where threads are slow to get on, longer: it is about what is awaited.
    for (int i = 0; i < 4000 || world.awaits <= 100; ++i) {
      const int64_t before = world.awaits;
      world.Step();
      // Not faster than they go, else they are killed before they begin.
      for (int j = 0; j < 20 && world.awaits == before; ++j) {
        std::this_thread::yield();
      }
    }
    over = true;
    for (std::thread& completer : completers) completer.join();
    world.Close();
    EXPECT_TRUE(system->Shutdown().ok());
    EXPECT_EQ(system->live_actors(), 0u);
    const uint64_t dead_letters = system->dead_letters();
    system = nullptr;
    EXPECT_EQ(world.alive, 0);
    EXPECT_GE(world.pages_read + static_cast<int64_t>(dead_letters),
              world.pages_admitted);
    EXPECT_GT(world.awaits, 100);
  }
}

}  // namespace
}  // namespace troupe
