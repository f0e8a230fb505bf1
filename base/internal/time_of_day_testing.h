// Lets a test set the time of day, as far as its own process reads it. The
// kernel knows nothing of that: who reads the time, adds what he wants to wait,
// and has the kernel wait until then, waits as if somebody had set the time
// back by as much right after each reading.
//
//   const SetTimeOfDay ahead(absl::Hours(1));
//   event.WaitWithTimeout(absl::Milliseconds(1));  // Must not take an hour,
//   const SetTimeOfDay behind(-absl::Hours(1));    // nor end at once.
//
// Thread safety: any thread; one at a time counts, the last.
#ifndef TROUPE_BASE_INTERNAL_TIME_OF_DAY_TESTING_H_
#define TROUPE_BASE_INTERNAL_TIME_OF_DAY_TESTING_H_

#include "absl/time/time.h"

namespace troupe::internal {

class SetTimeOfDay {
 public:
  // In whole seconds.
  explicit SetTimeOfDay(absl::Duration ahead);
  ~SetTimeOfDay();
  SetTimeOfDay(const SetTimeOfDay&) = delete;
  SetTimeOfDay& operator=(const SetTimeOfDay&) = delete;
};

}  // namespace troupe::internal

#endif  // TROUPE_BASE_INTERNAL_TIME_OF_DAY_TESTING_H_
