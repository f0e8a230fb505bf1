// Monotonic time, and the seam through which everything reads it.
//
// Code that needs the time takes a `const Clock&`; main() hands it RealClock(),
// a test a ManualClock, a simulation its own.
//
// Example:
//
//   MonotonicTime deadline = clock.Now() + absl::Seconds(5);
//   ...
//   if (clock.Now() >= deadline) return absl::DeadlineExceededError("...");
#ifndef TROUPE_BASE_CLOCK_H_
#define TROUPE_BASE_CLOCK_H_

#include <compare>
#include <cstdint>
#include <limits>
#include <ostream>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace troupe {

// A point in time: nanoseconds since the arbitrary start of one Clock. Points
// of different clocks must not be mixed.
//
// Arithmetic saturates: what lies 292 years away from the start or further is
// infinite, and an infinite point stays where it is.
class MonotonicTime {
 public:
  // The start of the clock.
  constexpr MonotonicTime() = default;

  static constexpr MonotonicTime FromNanoseconds(int64_t nanoseconds) {
    return MonotonicTime(nanoseconds);
  }
  static constexpr MonotonicTime InfiniteFuture() {
    return MonotonicTime(std::numeric_limits<int64_t>::max());
  }
  static constexpr MonotonicTime InfinitePast() {
    return MonotonicTime(std::numeric_limits<int64_t>::min());
  }

  constexpr int64_t ToNanoseconds() const { return nanoseconds_; }
  constexpr bool IsInfinite() const {
    return *this == InfiniteFuture() || *this == InfinitePast();
  }

  friend constexpr auto operator<=>(MonotonicTime, MonotonicTime) = default;

  // Fractions of a nanosecond in `duration` are dropped.
  MonotonicTime& operator+=(absl::Duration duration);
  MonotonicTime& operator-=(absl::Duration duration);
  friend MonotonicTime operator+(MonotonicTime time, absl::Duration duration) {
    return time += duration;
  }
  friend MonotonicTime operator-(MonotonicTime time, absl::Duration duration) {
    return time -= duration;
  }

  // The time from `from` to `to`; infinite if one of them is. The distance of
  // an infinite point from itself is infinite, as for absl::Time.
  friend absl::Duration operator-(MonotonicTime to, MonotonicTime from);

  friend std::ostream& operator<<(std::ostream& os, MonotonicTime time);

 private:
  explicit constexpr MonotonicTime(int64_t nanoseconds)
      : nanoseconds_(nanoseconds) {}

  int64_t nanoseconds_ = 0;
};

// Tells the time.
//
// Thread safety: Now() may be called from any thread.
// Order: what Now() returns never decreases, also across threads that
// synchronize.
// Blocking: Now() does not block.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual MonotonicTime Now() const = 0;
};

// The machine's monotonic clock (CLOCK_MONOTONIC). Has no state and is never
// destroyed.
const Clock& RealClock();

// A clock that moves only when told to.
//
// Thread safety: every member may be called from any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(MonotonicTime now = MonotonicTime()) : now_(now) {}
  ManualClock(const ManualClock&) = delete;
  ManualClock& operator=(const ManualClock&) = delete;

  MonotonicTime Now() const override;

  // REQUIRES: step >= absl::ZeroDuration()
  void Advance(absl::Duration step);

  // Moves to `time`; does nothing if that has passed already.
  void AdvanceTo(MonotonicTime time);

 private:
  mutable absl::Mutex mu_;
  MonotonicTime now_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe

#endif  // TROUPE_BASE_CLOCK_H_
