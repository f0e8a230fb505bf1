#include "troupe/testing/soak/memory_slope.h"

#include <cstddef>

namespace troupe::testing {

void MemorySlope::Add(absl::Duration at, int64_t bytes) {
  samples_.emplace_back(absl::ToDoubleMinutes(at), static_cast<double>(bytes));
}

double MemorySlope::BytesPerMinute() const {
  if (samples_.empty()) return 0;
  const double half = samples_.back().first / 2;
  double count = 0;
  double mean_time = 0;
  double mean_bytes = 0;
  for (const auto& [time, bytes] : samples_) {
    if (time < half) continue;
    ++count;
    mean_time += (time - mean_time) / count;
    mean_bytes += (bytes - mean_bytes) / count;
  }
  double covariance = 0;
  double variance = 0;
  for (const auto& [time, bytes] : samples_) {
    if (time < half) continue;
    covariance += (time - mean_time) * (bytes - mean_bytes);
    variance += (time - mean_time) * (time - mean_time);
  }
  return variance > 0 ? covariance / variance : 0;
}

}  // namespace troupe::testing
