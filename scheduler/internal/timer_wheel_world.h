// Random operations on a wheel, in and out of callbacks, compared step by step
// with a model that keeps its timers sorted: for tests that are played by seeds
// and by bytes.
//
//   Random random(seed);
//   TimerWheelWorld world(random, /*start_tick=*/0);
//   while (world.operations() < 1000) world.Step();
#ifndef TROUPE_SCHEDULER_INTERNAL_TIMER_WHEEL_WORLD_H_
#define TROUPE_SCHEDULER_INTERNAL_TIMER_WHEEL_WORLD_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <list>
#include <map>
#include <optional>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/scheduler/timer_wheel.h"

namespace troupe::internal {

// What TimerWheel promises, with no regard to cost.
class TimerWheelModel {
 public:
  explicit TimerWheelModel(uint64_t now_tick) : now_tick_(now_tick) {}

  void Schedule(int timer, uint64_t tick) {
    Cancel(timer);
    if (tick <= now_tick_) {
      due_.push_back(timer);
    } else {
      // Inserts behind those of the same tick.
      future_.emplace(tick, timer);
    }
  }

  bool Cancel(int timer) {
    if (std::erase(due_, timer) + std::erase(firing_, timer) > 0) return true;
    return std::erase_if(future_, [timer](const auto& entry) {
             return entry.second == timer;
           }) > 0;
  }

  void BeginAdvance(uint64_t tick) {
    target_tick_ = std::max(tick, now_tick_);
    firing_.splice(firing_.end(), due_);
  }

  // The timer that fires next in this Advance(), and moves the present to it.
  std::optional<int> Fire() {
    if (!firing_.empty()) {
      const int timer = firing_.front();
      firing_.pop_front();
      return timer;
    }
    if (future_.empty() || future_.begin()->first > target_tick_) {
      return std::nullopt;
    }
    const auto [tick, timer] = *future_.begin();
    future_.erase(future_.begin());
    now_tick_ = tick;
    return timer;
  }

  void EndAdvance() { now_tick_ = target_tick_; }

  std::optional<uint64_t> NextExpiry() const {
    if (!due_.empty() || !firing_.empty()) return now_tick_;
    if (future_.empty()) return std::nullopt;
    return future_.begin()->first;
  }

  uint64_t now_tick() const { return now_tick_; }

 private:
  uint64_t now_tick_;
  uint64_t target_tick_ = 0;
  std::list<int> due_;
  std::list<int> firing_;
  std::multimap<uint64_t, int> future_;
};

// `Choices`: a Random, or what has its members. `Wheel`: a TimerWheel, or one
// with a bug.
template <typename Choices, typename Wheel = TimerWheel>
class TimerWheelWorld {
 public:
  TimerWheelWorld(Choices& choices, uint64_t start_tick)
      : choices_(choices),
        wheel_(start_tick),
        model_(start_tick),
        timers_(kTimers) {
    for (int i = 0; i < kTimers; ++i) timers_[i].id = i;
  }

  ~TimerWheelWorld() {
    for (Timer& timer : timers_) wheel_.Cancel(timer);
  }

  void Step() {
    if (choices_.Bernoulli(0.3)) {
      Advance();
    } else {
      ScheduleOrCancel();
    }
    CheckState();
  }

  int operations() const { return operations_; }
  int fired() const { return fired_; }

 private:
  static constexpr int kTimers = 40;
  static constexpr uint64_t kMaxTick = std::numeric_limits<uint64_t>::max();

  struct Timer : TimerNode {
    int id = 0;
  };

  // A distance of up to 2^`bits`, each magnitude equally likely.
  uint64_t SomeDistance(int bits) {
    return choices_.NextUint64() >> (63 - choices_.Uniform(bits));
  }

  // A tick around the present: mostly near, sometimes very far, now and then
  // where a digit of the wheel carries or in the past.
  uint64_t SomeTick() {
    const uint64_t now = wheel_.now_tick();
    const uint64_t distance = SomeDistance(choices_.Bernoulli(0.1) ? 64 : 20);
    switch (choices_.Uniform(8)) {
      case 0:
        return now - std::min(now, distance);
      case 1:
        return now | (std::bit_ceil(std::min(distance, kMaxTick / 4)) - 1);
      case 2:
        return (now | 63) + std::min(kMaxTick - (now | 63), distance % 64);
      default:
        return now + std::min(kMaxTick - now, distance);
    }
  }

  // Where to advance to. Small steps on the whole, so that timers pile up and
  // the end of time is not reached at once; now and then one back.
  uint64_t SomeTarget() {
    const uint64_t now = wheel_.now_tick();
    const uint64_t next = wheel_.NextExpiry().value_or(now);
    if (next > now && next - now < (1 << 20) && choices_.Bernoulli(0.5)) {
      return next - choices_.Uniform(2);
    }
    const uint64_t distance = SomeDistance(choices_.Bernoulli(0.001) ? 60 : 14);
    if (choices_.Bernoulli(0.02)) return now - std::min(now, distance);
    return now + std::min(kMaxTick - now, distance);
  }

  void ScheduleOrCancel() {
    ++operations_;
    const int id = static_cast<int>(choices_.Uniform(kTimers));
    if (choices_.Bernoulli(0.3)) {
      EXPECT_EQ(wheel_.Cancel(timers_[id]), model_.Cancel(id));
      EXPECT_FALSE(timers_[id].pending());
    } else {
      const uint64_t tick = SomeTick();
      wheel_.Schedule(timers_[id], tick);
      model_.Schedule(id, tick);
      EXPECT_TRUE(timers_[id].pending());
    }
  }

  void Advance() {
    ++operations_;
    const uint64_t target = SomeTarget();
    model_.BeginAdvance(target);
    wheel_.Advance(target, [this](TimerNode& node) {
      ++fired_;
      EXPECT_EQ(static_cast<Timer&>(node).id, model_.Fire());
      EXPECT_FALSE(node.pending());
      CheckState();
      // Fewer than one new timer per fired one, so that this ends.
      if (choices_.Bernoulli(0.5)) ScheduleOrCancel();
      CheckState();
    });
    EXPECT_EQ(model_.Fire(), std::nullopt);
    model_.EndAdvance();
  }

  void CheckState() {
    EXPECT_EQ(wheel_.now_tick(), model_.now_tick());
    const std::optional<uint64_t> bound = wheel_.NextExpiry();
    const std::optional<uint64_t> expiry = model_.NextExpiry();
    ASSERT_EQ(bound.has_value(), expiry.has_value());
    EXPECT_EQ(wheel_.empty(), !expiry.has_value());
    if (!bound.has_value()) return;
    EXPECT_LE(*bound, *expiry);
    EXPECT_GE(*bound, wheel_.now_tick());
    if (*expiry / 64 == wheel_.now_tick() / 64) {
      EXPECT_EQ(*bound, *expiry);
    }
  }

  Choices& choices_;
  Wheel wheel_;
  TimerWheelModel model_;
  std::vector<Timer> timers_;
  int operations_ = 0;
  int fired_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_TIMER_WHEEL_WORLD_H_
