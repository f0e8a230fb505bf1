#include "troupe/cluster/internal/failure_detector.h"

#include <algorithm>

namespace troupe::internal {

bool FailureDetector::Look(MonotonicTime now) {
  const absl::Duration late = now - looked_ - step();
  looked_ = now;
  if (late > heartbeat_) {
    // The peer may have stood still as well: it gets another window.
    heard_ = now;
  } else if (late > absl::ZeroDuration()) {
    heard_ = std::min(now, heard_ + late);
  }
  // What came meanwhile may not have been read yet.
  if (late > step()) return false;
  return now - heard_ > silence_;
}

}  // namespace troupe::internal
