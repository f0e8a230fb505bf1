#include "troupe/base/internal/time_of_day_testing.h"

#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

#include "absl/time/time.h"

namespace troupe::internal {
namespace {

constinit std::atomic<int64_t> seconds_ahead{0};

}  // namespace

SetTimeOfDay::SetTimeOfDay(absl::Duration ahead) {
  seconds_ahead = absl::ToInt64Seconds(ahead);
}

SetTimeOfDay::~SetTimeOfDay() { seconds_ahead = 0; }

}  // namespace troupe::internal

// In front of those of the C library, for all that is linked to the test.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const auto result =
      static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
  if (result == 0 && clock == CLOCK_REALTIME) {
    time->tv_sec += troupe::internal::seconds_ahead;
  }
  return result;
}

extern "C" int gettimeofday(timeval* time, void* zone) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_gettimeofday, time, zone));
  if (result == 0) {
    time->tv_sec += troupe::internal::seconds_ahead;
  }
  return result;
}
