// The corpus of the fuzz test finds bugs that are planted in a wheel.
#include <cstdint>
#include <optional>

#include "gtest/gtest.h"
#include "troupe/scheduler/internal/timer_wheel_world.h"
#include "troupe/scheduler/timer_wheel.h"
#include "troupe/tools/fuzz/input.h"
#include "troupe/tools/fuzz/planted.h"

namespace troupe {
namespace {

template <typename Wheel>
int InputsThatFind() {
  return testing::CountFailingInputs(
      "scheduler/corpus/timer_wheel", [](FuzzInput& input) {
        const uint64_t start_tick =
            input.Bernoulli(0.5) ? 0 : input.NextUint64();
        internal::TimerWheelWorld<FuzzInput, Wheel> world(input, start_tick);
        while (!input.empty()) world.Step();
      });
}

TEST(TimerWheelPlantedTest, TrueWheelAgreesWithTheModel) {
  EXPECT_EQ(InputsThatFind<TimerWheel>(), 0);
}

// A timer that is scheduled anew for its own tick keeps its place among those
// of that tick.
struct KeepsThePlace : TimerWheel {
  using TimerWheel::TimerWheel;
  void Schedule(TimerNode& node, uint64_t tick) {
    if (node.pending() && node.expiry_tick() == tick) return;
    TimerWheel::Schedule(node, tick);
  }
};

TEST(TimerWheelPlantedTest, TimerThatKeepsItsPlaceIsFound) {
  EXPECT_GT(InputsThatFind<KeepsThePlace>(), 0);
}

// What is scheduled for the present comes a tick later.
struct PutsOff : TimerWheel {
  using TimerWheel::TimerWheel;
  void Schedule(TimerNode& node, uint64_t tick) {
    TimerWheel::Schedule(node, tick == now_tick() ? tick + 1 : tick);
  }
};

TEST(TimerWheelPlantedTest, TimerThatIsPutOffIsFound) {
  EXPECT_GT(InputsThatFind<PutsOff>(), 0);
}

// Sleepers oversleep by a tick.
struct Oversleeps : TimerWheel {
  using TimerWheel::TimerWheel;
  std::optional<uint64_t> NextExpiry() const {
    const std::optional<uint64_t> next = TimerWheel::NextExpiry();
    return next > now_tick() + 1000 ? *next + 1 : next;
  }
};

TEST(TimerWheelPlantedTest, OversleepingIsFound) {
  EXPECT_GT(InputsThatFind<Oversleeps>(), 0);
}

}  // namespace
}  // namespace troupe
