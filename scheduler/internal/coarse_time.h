// The time as somebody last looked, for those who cannot afford to read the
// clock themselves.
//
// Thread safety: any thread.
// Memory ordering: none. The time says nothing about other memory, and a look
// that comes an instant late is a look that came earlier.
#ifndef TROUPE_SCHEDULER_INTERNAL_COARSE_TIME_H_
#define TROUPE_SCHEDULER_INTERNAL_COARSE_TIME_H_

#include <atomic>
#include <cstdint>

#include "troupe/base/clock.h"

namespace troupe::internal {

// On a cache line of its own: every worker reads it in every turn.
class alignas(64) CoarseTime {
 public:
  constexpr CoarseTime() = default;
  explicit constexpr CoarseTime(MonotonicTime now)
      : nanoseconds_(now.ToNanoseconds()) {}

  MonotonicTime Get() const {
    return MonotonicTime::FromNanoseconds(
        nanoseconds_.load(std::memory_order_relaxed));
  }
  void Set(MonotonicTime now) {
    nanoseconds_.store(now.ToNanoseconds(), std::memory_order_relaxed);
  }

 private:
  std::atomic<int64_t> nanoseconds_{0};
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_COARSE_TIME_H_
