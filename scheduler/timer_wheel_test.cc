#include "troupe/scheduler/timer_wheel.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kMaxTick = std::numeric_limits<uint64_t>::max();

struct Timer : TimerNode {
  explicit Timer(int id) : id(id) {}
  const int id;
};

// Advances and returns the ids of what fired.
std::vector<int> Advance(TimerWheel& wheel, uint64_t tick) {
  std::vector<int> ids;
  const size_t fired = wheel.Advance(tick, [&ids](TimerNode& node) {
    ids.push_back(static_cast<Timer&>(node).id);
  });
  EXPECT_EQ(fired, ids.size());
  return ids;
}

TEST(TimerWheelTest, FiresAtTheTickAndNotBefore) {
  TimerWheel wheel;
  Timer timer(1);
  wheel.Schedule(timer, 10);

  EXPECT_THAT(Advance(wheel, 9), IsEmpty());
  EXPECT_TRUE(timer.pending());
  EXPECT_THAT(Advance(wheel, 10), ElementsAre(1));
  EXPECT_FALSE(timer.pending());
  EXPECT_THAT(Advance(wheel, 1000), IsEmpty());
}

TEST(TimerWheelTest, FiresOnTimeAtEveryDistance) {
  for (const uint64_t start : {uint64_t{0}, uint64_t{63}, uint64_t{4095},
                               uint64_t{123'456'789}, kMaxTick / 2}) {
    for (int bit = 0; bit < 63; ++bit) {
      for (const uint64_t delay : {(uint64_t{1} << bit) - 1, uint64_t{1} << bit,
                                   (uint64_t{1} << bit) + 1}) {
        if (delay == 0 || delay > kMaxTick - start) continue;
        TimerWheel wheel(start);
        Timer timer(1);
        wheel.Schedule(timer, start + delay);
        ASSERT_THAT(Advance(wheel, start + delay - 1), IsEmpty())
            << start << " + " << delay;
        ASSERT_THAT(Advance(wheel, start + delay), ElementsAre(1))
            << start << " + " << delay;
      }
    }
  }
}

TEST(TimerWheelTest, FiresAtTheLastTickOfAll) {
  TimerWheel wheel;
  Timer last(1);
  Timer before(2);
  wheel.Schedule(last, kMaxTick);
  wheel.Schedule(before, kMaxTick - 1);

  EXPECT_THAT(Advance(wheel, kMaxTick - 1), ElementsAre(2));
  EXPECT_THAT(Advance(wheel, kMaxTick), ElementsAre(1));
  EXPECT_THAT(Advance(wheel, kMaxTick), IsEmpty());
}

TEST(TimerWheelTest, FiresInOrderOfExpiry) {
  TimerWheel wheel;
  Timer timers[] = {Timer(0), Timer(1), Timer(2), Timer(3), Timer(4)};
  wheel.Schedule(timers[0], 1'000'000);
  wheel.Schedule(timers[1], 5);
  wheel.Schedule(timers[2], 64);
  wheel.Schedule(timers[3], 4096);
  wheel.Schedule(timers[4], 63);

  EXPECT_THAT(Advance(wheel, 2'000'000), ElementsAre(1, 4, 2, 3, 0));
}

TEST(TimerWheelTest, FiresTiesInOrderOfScheduling) {
  TimerWheel wheel;
  Timer timers[] = {Timer(0), Timer(1), Timer(2), Timer(3)};
  // At different distances, so that all but the last come down from higher
  // levels.
  wheel.Schedule(timers[3], 300'000);
  Advance(wheel, 200'000);
  wheel.Schedule(timers[1], 300'000);
  Advance(wheel, 299'500);
  wheel.Schedule(timers[2], 300'000);
  Advance(wheel, 299'999);
  wheel.Schedule(timers[0], 300'000);

  EXPECT_THAT(Advance(wheel, 300'000), ElementsAre(3, 1, 2, 0));
}

TEST(TimerWheelTest, TickThatHasComeFiresNextTime) {
  TimerWheel wheel(100);
  Timer present(1);
  Timer past(2);
  Timer future(3);
  wheel.Schedule(future, 101);
  wheel.Schedule(present, 100);
  wheel.Schedule(past, 7);

  EXPECT_EQ(wheel.NextExpiry(), 100);
  EXPECT_THAT(Advance(wheel, 100), ElementsAre(1, 2));
  EXPECT_EQ(past.expiry_tick(), 7);
  EXPECT_THAT(Advance(wheel, 101), ElementsAre(3));
}

TEST(TimerWheelTest, DoesNotGoBack) {
  TimerWheel wheel(100);
  Timer timer(1);
  wheel.Schedule(timer, 90);

  EXPECT_THAT(Advance(wheel, 50), ElementsAre(1));
  EXPECT_EQ(wheel.now_tick(), 100);
}

TEST(TimerWheelTest, CancelledTimerDoesNotFire) {
  TimerWheel wheel;
  Timer near(1);
  Timer far(2);
  Timer due(3);
  Timer kept(4);
  wheel.Schedule(near, 3);
  wheel.Schedule(far, 3'000'000);
  wheel.Schedule(due, 0);
  wheel.Schedule(kept, 3);

  EXPECT_TRUE(wheel.Cancel(near));
  EXPECT_TRUE(wheel.Cancel(far));
  EXPECT_TRUE(wheel.Cancel(due));

  EXPECT_FALSE(near.pending());
  EXPECT_THAT(Advance(wheel, 10'000'000), ElementsAre(4));
}

TEST(TimerWheelTest, CancelSaysWhetherTheTimerWasPending) {
  TimerWheel wheel;
  Timer timer(1);
  EXPECT_FALSE(wheel.Cancel(timer));

  wheel.Schedule(timer, 5);
  EXPECT_TRUE(wheel.Cancel(timer));
  EXPECT_FALSE(wheel.Cancel(timer));

  wheel.Schedule(timer, 5);
  Advance(wheel, 5);
  EXPECT_FALSE(wheel.Cancel(timer));
}

TEST(TimerWheelTest, ScheduleMovesAPendingTimer) {
  TimerWheel wheel;
  Timer moved(1);
  Timer other(2);
  wheel.Schedule(moved, 5);
  wheel.Schedule(other, 50);

  wheel.Schedule(moved, 50);

  EXPECT_EQ(moved.expiry_tick(), 50);
  EXPECT_THAT(Advance(wheel, 49), IsEmpty());
  EXPECT_THAT(Advance(wheel, 50), ElementsAre(2, 1));
}

TEST(TimerWheelTest, CallbackSeesTickAndExpiryOfItsTimer) {
  TimerWheel wheel;
  Timer timer(1);
  wheel.Schedule(timer, 70);

  wheel.Advance(1000, [&](TimerNode& node) {
    EXPECT_EQ(&node, &timer);
    EXPECT_FALSE(node.pending());
    EXPECT_EQ(node.expiry_tick(), 70);
    EXPECT_EQ(wheel.now_tick(), 70);
  });

  EXPECT_EQ(wheel.now_tick(), 1000);
}

TEST(TimerWheelTest, PeriodicTimerCatchesUpWithinOneAdvance) {
  TimerWheel wheel;
  Timer timer(1);
  std::vector<uint64_t> ticks;
  wheel.Schedule(timer, 30);

  wheel.Advance(100, [&](TimerNode& node) {
    ticks.push_back(wheel.now_tick());
    wheel.Schedule(node, node.expiry_tick() + 30);
  });

  EXPECT_THAT(ticks, ElementsAre(30, 60, 90));
  EXPECT_TRUE(wheel.Cancel(timer));
}

TEST(TimerWheelTest, TimerThatReschedulesForNowWaitsForTheNextAdvance) {
  TimerWheel wheel;
  Timer timer(1);
  int fired = 0;
  const auto again = [&](TimerNode& node) {
    ++fired;
    EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
    wheel.Schedule(node, wheel.now_tick());
    EXPECT_EQ(wheel.NextExpiry(), wheel.now_tick());
  };
  wheel.Schedule(timer, 10);

  wheel.Advance(20, again);
  EXPECT_EQ(fired, 1);
  wheel.Advance(20, again);
  EXPECT_EQ(fired, 2);

  EXPECT_TRUE(wheel.Cancel(timer));
}

TEST(TimerWheelTest, CallbackMayCancelTimersOfItsOwnTick) {
  TimerWheel wheel;
  Timer timers[] = {Timer(0), Timer(1), Timer(2), Timer(3)};
  std::vector<int> ids;
  for (const uint64_t tick : {uint64_t{0}, uint64_t{8}}) {
    ids.clear();
    for (Timer& timer : timers) wheel.Schedule(timer, tick);

    wheel.Advance(8, [&](TimerNode& node) {
      const int id = static_cast<Timer&>(node).id;
      ids.push_back(id);
      if (id == 0) {
        EXPECT_TRUE(wheel.Cancel(timers[1]));
        EXPECT_TRUE(wheel.Cancel(timers[3]));
      }
    });

    EXPECT_THAT(ids, ElementsAre(0, 2)) << "tick " << tick;
  }
}

TEST(TimerWheelTest, CallbackMayDestroyItsTimer) {
  TimerWheel wheel;
  auto timer = std::make_unique<Timer>(1);
  wheel.Schedule(*timer, 8);

  wheel.Advance(8, [&timer](TimerNode&) { timer.reset(); });

  EXPECT_EQ(timer, nullptr);
  EXPECT_TRUE(wheel.empty());
}

TEST(TimerWheelTest, TimerMovesToAnotherWheel) {
  TimerWheel from(100);
  TimerWheel to(90);
  Timer timer(1);
  from.Schedule(timer, 120);

  EXPECT_TRUE(from.Cancel(timer));
  to.Schedule(timer, timer.expiry_tick());

  EXPECT_TRUE(from.empty());
  EXPECT_THAT(Advance(to, 120), ElementsAre(1));
}

TEST(TimerWheelTest, NextExpiryIsExactNearby) {
  TimerWheel wheel(128);
  Timer timer(1);
  EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
  EXPECT_TRUE(wheel.empty());

  wheel.Schedule(timer, 191);
  EXPECT_EQ(wheel.NextExpiry(), 191);
  EXPECT_FALSE(wheel.empty());

  wheel.Cancel(timer);
  EXPECT_EQ(wheel.NextExpiry(), std::nullopt);
}

TEST(TimerWheelTest, NextExpiryReachesAFarTimerInFewSteps) {
  for (const uint64_t tick :
       {uint64_t{65}, uint64_t{3'600'000}, uint64_t{1} << 42, kMaxTick}) {
    TimerWheel wheel;
    Timer timer(1);
    wheel.Schedule(timer, tick);
    int early_wakes = 0;

    for (;;) {
      const std::optional<uint64_t> next = wheel.NextExpiry();
      ASSERT_TRUE(next.has_value());
      ASSERT_LE(*next, tick);
      if (!Advance(wheel, *next).empty()) break;
      ++early_wakes;
    }

    EXPECT_EQ(wheel.now_tick(), tick);
    EXPECT_LE(early_wakes, 10);
  }
}

#ifndef NDEBUG
TEST(TimerWheelDeathTest, RefusesToAdvanceFromACallback) {
  TimerWheel wheel;
  Timer timer(1);
  wheel.Schedule(timer, 1);

  EXPECT_DEATH(wheel.Advance(1, [&wheel](TimerNode&) { Advance(wheel, 2); }),
               "does not advance the wheel");
  wheel.Cancel(timer);
}

TEST(TimerWheelDeathTest, RefusesToDestroyAPendingTimer) {
  TimerWheel wheel;

  EXPECT_DEATH(
      {
        Timer timer(1);
        wheel.Schedule(timer, 1);
      },
      "cancelled before it is destroyed");
}
#endif

}  // namespace
}  // namespace troupe
