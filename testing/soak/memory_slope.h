// How fast the memory of a process grows: the slope of the straight line that
// fits the second half of what was measured best, by least squares. The first
// half is for caches to fill.
//
// Thread safety: none.
#ifndef TROUPE_TESTING_SOAK_MEMORY_SLOPE_H_
#define TROUPE_TESTING_SOAK_MEMORY_SLOPE_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace troupe::testing {

class MemorySlope {
 public:
  // REQUIRES: `at` does not decrease.
  void Add(absl::Duration at, int64_t bytes);

  // 0 before there are two different times in the second half.
  double BytesPerMinute() const;

 private:
  std::vector<std::pair<double, double>> samples_;  // Minutes, bytes.
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SOAK_MEMORY_SLOPE_H_
