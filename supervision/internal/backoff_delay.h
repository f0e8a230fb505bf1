// How long a child with a RestartBackoff waits for its restart.
#ifndef TROUPE_SUPERVISION_INTERNAL_BACKOFF_DELAY_H_
#define TROUPE_SUPERVISION_INTERNAL_BACKOFF_DELAY_H_

#include <cstdint>

#include "absl/time/time.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"

namespace troupe::internal {

// After that many failures in a row. Draws a number if there is jitter.
// REQUIRES: failures > 0
absl::Duration BackoffDelay(const RestartBackoff& backoff, uint32_t failures,
                            Random& random);

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_BACKOFF_DELAY_H_
