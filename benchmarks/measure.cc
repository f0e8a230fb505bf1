#include "troupe/benchmarks/measure.h"

#include <algorithm>
#include <cstdint>

namespace troupe::benchmarks {

int64_t Scaled(const MeasureOptions& options, int64_t operations) {
  return std::max<int64_t>(
      1, static_cast<int64_t>(static_cast<double>(operations) * options.scale));
}

}  // namespace troupe::benchmarks
