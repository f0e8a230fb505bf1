#include "troupe/base/clock.h"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <ratio>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/check.h"

namespace troupe {
namespace {

class SteadyClock final : public Clock {
 public:
  MonotonicTime Now() const override {
    // What std::chrono::steady_clock reads, without the detour through the
    // standard library's own function.
    timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return MonotonicTime::FromNanoseconds(int64_t{now.tv_sec} * std::nano::den +
                                          now.tv_nsec);
  }
};

}  // namespace

MonotonicTime& MonotonicTime::operator+=(absl::Duration duration) {
  if (IsInfinite()) return *this;
  const MonotonicTime limit =
      duration > absl::ZeroDuration() ? InfiniteFuture() : InfinitePast();
  const bool infinite = duration == absl::InfiniteDuration() ||
                        duration == -absl::InfiniteDuration();
  int64_t sum;
  if (infinite || __builtin_add_overflow(
                      nanoseconds_, absl::ToInt64Nanoseconds(duration), &sum)) {
    return *this = limit;
  }
  nanoseconds_ = sum;
  return *this;
}

MonotonicTime& MonotonicTime::operator-=(absl::Duration duration) {
  return *this += -duration;
}

absl::Duration operator-(MonotonicTime to, MonotonicTime from) {
  if (to == MonotonicTime::InfiniteFuture() ||
      from == MonotonicTime::InfinitePast()) {
    return absl::InfiniteDuration();
  }
  if (to == MonotonicTime::InfinitePast() ||
      from == MonotonicTime::InfiniteFuture()) {
    return -absl::InfiniteDuration();
  }
  // Two durations, because the difference of the counts may overflow.
  return absl::Nanoseconds(to.nanoseconds_) -
         absl::Nanoseconds(from.nanoseconds_);
}

std::ostream& operator<<(std::ostream& os, MonotonicTime time) {
  if (time == MonotonicTime::InfiniteFuture()) return os << "infinite-future";
  if (time == MonotonicTime::InfinitePast()) return os << "infinite-past";
  return os << absl::FormatDuration(absl::Nanoseconds(time.ToNanoseconds()));
}

const Clock& RealClock() {
  // Never destroyed: threads may read the time while the process exits.
  static const Clock& clock = *new SteadyClock;
  return clock;
}

MonotonicTime ManualClock::Now() const {
  absl::MutexLock lock(&mu_);
  return now_;
}

void ManualClock::Advance(absl::Duration step) {
  TROUPE_CHECK(step >= absl::ZeroDuration(), "time does not run backwards");
  absl::MutexLock lock(&mu_);
  now_ += step;
}

void ManualClock::AdvanceTo(MonotonicTime time) {
  absl::MutexLock lock(&mu_);
  now_ = std::max(now_, time);
}

}  // namespace troupe
