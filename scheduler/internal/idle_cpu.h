// The processor time that a process takes while it has nothing to do, for
// programs that show it.
//
//   std::cout << MeasureIdleCpu(absl::Seconds(10)) << "\n";
//
// prints
//
//   0.31 ms of processor time and 2 context switches in 10 s (0.003 %)
#ifndef TROUPE_SCHEDULER_INTERNAL_IDLE_CPU_H_
#define TROUPE_SCHEDULER_INTERNAL_IDLE_CPU_H_

#include <cstdint>
#include <ostream>

#include "absl/time/time.h"

namespace troupe::internal {

// What the kernel has counted for the whole process.
struct ProcessUse {
  absl::Duration cpu;
  int64_t context_switches = 0;

  static ProcessUse Now();
};

struct IdleCpu {
  ProcessUse used;
  absl::Duration length;

  friend std::ostream& operator<<(std::ostream& os, const IdleCpu& idle);
};

// Waits until what began before has come to rest, some 200 ms, and then for
// `length`, of which it tells. Blocks.
IdleCpu MeasureIdleCpu(absl::Duration length);

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_IDLE_CPU_H_
