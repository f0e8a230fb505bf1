#include "troupe/cluster/internal/failure_detector.h"

#include <algorithm>
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/base/clock.h"

namespace troupe::internal {
namespace {

// How many times as many looks as silence takes are made for who says nothing.
constexpr int64_t kPatience = 4;

}  // namespace

bool FailureDetector::Look(MonotonicTime now) {
  const absl::Duration late = now - looked_ - step();
  looked_ = now;
  // An end that is always late must not wait for ever for one that is dead.
  if (++looks_ * step() > kPatience * silence_) return true;
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
