// A wheel against a model that keeps its timers sorted, through random
// operations.
#include <cstdint>
#include <limits>

#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/scheduler/internal/timer_wheel_world.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

using testing::SeedTrace;
using testing::TestSeeds;

constexpr int kSeeds = 100;
constexpr int kOperationsPerSeed = 10'000;
constexpr uint64_t kMaxTick = std::numeric_limits<uint64_t>::max();

TEST(TimerWheelSimTest, AgreesWithASortedModel) {
  for (const uint64_t seed : TestSeeds(kSeeds)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    // Low ticks, and ticks whose carry runs through all levels.
    internal::TimerWheelWorld world(random,
                                    seed % 2 == 0 ? 0 : kMaxTick / 2 - 1000);
    while (world.operations() < kOperationsPerSeed && !HasFailure()) {
      world.Step();
    }
    if (HasFailure()) return;
    // A simulation that got stuck would agree with anything.
    EXPECT_GT(world.fired(), kOperationsPerSeed / 10);
  }
}

}  // namespace
}  // namespace troupe
