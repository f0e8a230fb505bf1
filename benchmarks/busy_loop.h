// Work that takes a known time of the processor: a loop that is counted once
// and then only run, so that a handler that works does not look at a clock.
#ifndef TROUPE_BENCHMARKS_BUSY_LOOP_H_
#define TROUPE_BENCHMARKS_BUSY_LOOP_H_

#include <cstdint>

#include "absl/time/time.h"

namespace troupe::benchmarks {

class BusyLoop {
 public:
  // Measures how fast the loop is, the first time in a process: some
  // milliseconds.
  explicit BusyLoop(absl::Duration time);

  // Takes the time.
  void Run() const;

 private:
  int64_t rounds_;
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_BUSY_LOOP_H_
