#include "troupe/benchmarks/cache_line.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "troupe/base/atomics.h"
#include "troupe/base/clock.h"

namespace troupe::benchmarks {
namespace {

constexpr absl::Duration kTime = absl::Milliseconds(20);
constexpr int kTripsPerSample = 64;
constexpr int64_t kEnd = -1;

// Waits until the line holds `value` or kEnd; returns which.
int64_t AwaitValue(const std::atomic<int64_t>& line, int64_t value) {
  while (true) {
    // Acquire, as whoever gets a message would.
    const int64_t found = line.load(std::memory_order_acquire);
    if (found == value || found == kEnd) return found;
    RealAtomics::SpinPause();
  }
}

}  // namespace

double CacheLineRoundTripNanoseconds() {
  struct alignas(64) Line {
    std::atomic<int64_t> value{0};
  } line;
  // Odd numbers go there, even ones come back.
  std::thread partner([&line] {
    for (int64_t next = 1; AwaitValue(line.value, next) != kEnd; next += 2) {
      // Release pairs with the acquire in AwaitValue(), as for a message.
      line.value.store(next + 1, std::memory_order_release);
    }
  });
  std::vector<double> samples;
  int64_t number = 0;
  const MonotonicTime end = RealClock().Now() + kTime;
  MonotonicTime before = RealClock().Now();
  do {
    for (int trip = 0; trip < kTripsPerSample; ++trip) {
      line.value.store(number + 1, std::memory_order_release);
      number += 2;
      AwaitValue(line.value, number);
    }
    const MonotonicTime now = RealClock().Now();
    samples.push_back(absl::ToDoubleNanoseconds(now - before) /
                      kTripsPerSample);
    before = now;
  } while (before < end);
  line.value.store(kEnd, std::memory_order_release);
  partner.join();
  const auto median = samples.begin() + samples.size() / 2;
  std::nth_element(samples.begin(), median, samples.end());
  return *median;
}

}  // namespace troupe::benchmarks
