// A window of restarts against a list of those that lie within it.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/internal/restart_window.h"
#include "troupe/supervision/strategy.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe::internal {
namespace {

constexpr absl::Duration kSpans[] = {
    absl::ZeroDuration(), absl::Nanoseconds(1), absl::Nanoseconds(20),
    absl::Nanoseconds(300), absl::InfiniteDuration()};

void Play(FuzzInput& input) {
  const Intensity intensity{.restarts = static_cast<int>(input.Uniform(12)),
                            .within = kSpans[input.Uniform(5)]};
  RestartWindow window;
  std::vector<MonotonicTime> admitted;
  MonotonicTime now;
  while (!input.empty()) {
    now += absl::Nanoseconds(input.Uniform(64));
    std::erase_if(admitted, [&](MonotonicTime time) {
      return now - time > intensity.within;
    });
    const bool admits = static_cast<int>(admitted.size()) < intensity.restarts;
    EXPECT_EQ(window.Admit(intensity, now), admits);
    if (admits) admitted.push_back(now);
    EXPECT_EQ(window.count(), admitted.size());
    EXPECT_EQ(window.SpanUntil(now),
              admitted.empty() ? absl::ZeroDuration() : now - admitted.front());
  }
}

}  // namespace
}  // namespace troupe::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::internal::Play(input);
  return 0;
}
