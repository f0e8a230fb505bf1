// The ticks of a timer wheel: milliseconds since some start.
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
    return SinceStart(time) / kNanoseconds;
  }

  // The first tick that does not come before `time`.
  uint64_t AtOrAfter(MonotonicTime time) const {
    if (time <= start_) return 0;
    if (time.IsInfinite()) return kNever;
    return (SinceStart(time) - 1) / kNanoseconds + 1;
  }

  // When `tick` comes; infinite where time ends.
  MonotonicTime TimeOf(uint64_t tick) const {
    constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();
    const int64_t start = start_.ToNanoseconds();
    if (tick > kEnd / kNanoseconds) return MonotonicTime::InfiniteFuture();
    const int64_t since_start = static_cast<int64_t>(tick * kNanoseconds);
    if (start > kEnd - since_start) return MonotonicTime::InfiniteFuture();
    return MonotonicTime::FromNanoseconds(start + since_start);
  }

 private:
  static constexpr uint64_t kNanoseconds = 1'000'000;  // In a tick.

  // Plain numbers: this is part of what each timer costs. Unsigned, as the
  // difference of two times may be.
  uint64_t SinceStart(MonotonicTime time) const {
    return static_cast<uint64_t>(time.ToNanoseconds()) -
           static_cast<uint64_t>(start_.ToNanoseconds());
  }

  MonotonicTime start_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_TICKS_H_
