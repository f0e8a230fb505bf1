#include "troupe/supervision/internal/backoff_delay.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/time/time.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"

namespace troupe::internal {

absl::Duration BackoffDelay(const RestartBackoff& backoff, uint32_t failures,
                            Random& random) {
  // Too large for a double is infinite, and so is the product.
  const double growth = std::pow(backoff.factor, failures - 1);
  const absl::Duration delay = std::min(backoff.initial * growth, backoff.max);
  if (backoff.jitter == 0) return delay;
  // From -1 to 1; 53 bits are what a double in [0, 1) holds exactly.
  const double part =
      2 * (static_cast<double>(random.NextUint64() >> 11) * 0x1p-53) - 1;
  return delay * (1 + backoff.jitter * part);
}

}  // namespace troupe::internal
