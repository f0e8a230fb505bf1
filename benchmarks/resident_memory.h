// How much memory of this process is resident.
//
// Thread safety: any thread. None of these functions allocates.
#ifndef TROUPE_BENCHMARKS_RESIDENT_MEMORY_H_
#define TROUPE_BENCHMARKS_RESIDENT_MEMORY_H_

#include <cstdint>

namespace troupe::benchmarks {

// Now, and the most since the start or the last reset. 0: the kernel does not
// say.
int64_t ResidentBytes();
int64_t PeakResidentBytes();

// Forgets the peak. Where the kernel does not permit it, the peak stays that of
// the whole process.
void ResetPeakResidentBytes();

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_RESIDENT_MEMORY_H_
