#include "troupe/benchmarks/busy_loop.h"

#include <algorithm>
#include <cstdint>

#include "troupe/base/clock.h"

namespace troupe::benchmarks {
namespace {

void Loop(int64_t rounds) {
  for (int64_t i = 0; i < rounds; ++i) {
    // Not to be left out.
    asm volatile("" : : "r"(i) : "memory");
  }
}

double RoundsPerNanosecond() {
  constexpr int64_t kRounds = 100'000;
  constexpr int kSamples = 50;
  // The fastest: nothing came between.
  absl::Duration shortest = absl::InfiniteDuration();
  for (int i = 0; i < kSamples; ++i) {
    const MonotonicTime begin = RealClock().Now();
    Loop(kRounds);
    shortest = std::min(shortest, RealClock().Now() - begin);
  }
  return kRounds / static_cast<double>(std::max<int64_t>(
                       1, absl::ToInt64Nanoseconds(shortest)));
}

}  // namespace

BusyLoop::BusyLoop(absl::Duration time) {
  static const double per_nanosecond = RoundsPerNanosecond();
  rounds_ =
      static_cast<int64_t>(per_nanosecond * absl::ToDoubleNanoseconds(time));
}

void BusyLoop::Run() const { Loop(rounds_); }

}  // namespace troupe::benchmarks
