// The ticks of an executor's timer wheel: milliseconds since its start.
#ifndef TROUPE_SCHEDULER_INTERNAL_TICKS_H_
#define TROUPE_SCHEDULER_INTERNAL_TICKS_H_

#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

class Ticks {
 public:
  static constexpr absl::Duration kLength = absl::Milliseconds(1);
  static constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

  explicit constexpr Ticks(MonotonicTime start) : start_(start) {}

  // The last tick that has come at `time`.
  uint64_t At(MonotonicTime time) const {
    if (time <= start_) return 0;
    if (time.IsInfinite()) return kNever;
    return absl::ToInt64Milliseconds(time - start_);
  }

  // The first tick that does not come before `time`.
  uint64_t AtOrAfter(MonotonicTime time) const {
    const uint64_t tick = At(time);
    return tick == kNever || TimeOf(tick) >= time ? tick : tick + 1;
  }

  // When `tick` comes; infinite where time ends.
  MonotonicTime TimeOf(uint64_t tick) const {
    constexpr uint64_t kLast =
        std::numeric_limits<int64_t>::max() / 1'000'000;  // ns in a tick
    if (tick > kLast) return MonotonicTime::InfiniteFuture();
    return start_ + absl::Milliseconds(static_cast<int64_t>(tick));
  }

 private:
  MonotonicTime start_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_TICKS_H_
