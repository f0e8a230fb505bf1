// Random trees of supervisors on threads: children fail and are restarted while
// several threads send, call, ask supervisors and shut down. Under TSan: what
// an instance did is visible to the next one.
#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/log.h"
#include "troupe/base/random.h"
#include "troupe/supervision/internal/supervision_world.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

constexpr int kDrivers = 3;
constexpr int kSteps = 600;

// Whether the system is shut down while the drivers go on, or after them.
void Play(uint64_t seed, bool ends_early, int& births, int& letters) {
  Random random(seed);
  internal::Silence silence;
  std::unique_ptr<ActorSystem> system =
      ActorSystem::Create({.workers = 3,
                           .logger = Logger(&silence),
                           // On a machine however busy.
                           .call_timeout = absl::Minutes(10),
                           .shutdown_timeout = absl::Minutes(10)})
          .value();
  internal::SupervisionWorld world(
      *system, random.NextUint64(),
      {.kills_supervisors = random.Uniform(2) == 0, .checks_times = false});
  std::vector<std::unique_ptr<internal::WorldDriver>> drivers;
  for (int i = 0; i < kDrivers; ++i) {
    drivers.push_back(
        std::make_unique<internal::WorldDriver>(world, i, random.NextUint64()));
  }
  // It may fail to start; then all that comes is refused.
  (void)Supervisor::Start(*system, world.MakeTree());
  world.BeginLife();
  std::atomic<int> steps{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < kDrivers; ++i) {
    threads.emplace_back([&, driver = drivers[i].get()] {
      for (int step = 0; step < kSteps; ++step) {
        driver->Step();
        ++steps;
        if (step % 16 == 0) std::this_thread::yield();
      }
      driver->AwaitAnswers();
    });
  }
  if (ends_early) {
    while (steps < kDrivers * kSteps / 2) std::this_thread::yield();
    // From two sides.
    std::thread other([&] { EXPECT_TRUE(system->Shutdown().ok()); });
    EXPECT_TRUE(system->Shutdown().ok());
    other.join();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(system->Shutdown().ok());
  EXPECT_EQ(system->live_actors(), 0u);
  world.CheckEnd();
  births += world.births();
  letters += world.letters();
}

TEST(SupervisorStressTest, KeepsItsPromisesOnThreads) {
  int births = 0;
  int letters = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(30);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Play(seed, /*ends_early=*/seed % 2 == 0, births, letters);
    if (HasFailure()) break;
  }
  if (seeds.size() < 30) return;  // A replay.
  EXPECT_GT(births, 300);
  EXPECT_GT(letters, 300);
}

}  // namespace
}  // namespace troupe
