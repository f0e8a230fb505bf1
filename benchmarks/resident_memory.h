// How much memory of this process is resident.
//
// Thread safety: any thread. None of these functions allocates.
#ifndef TROUPE_BENCHMARKS_RESIDENT_MEMORY_H_
#define TROUPE_BENCHMARKS_RESIDENT_MEMORY_H_

#include <cstdint>

#include "absl/time/time.h"
#include "troupe/benchmarks/sanitized.h"

namespace troupe::benchmarks {

// Now, and the most since the start or the last reset. 0: the kernel does not
// say.
int64_t ResidentBytes();
int64_t PeakResidentBytes();

// Now, to the byte: the above may be wrong by some hundred kilobytes, because
// the kernel counts for each thread, and adds up now and then. Takes a
// millisecond for each 100 MB.
int64_t ExactResidentBytes();

// How long a runtime may take to give memory back. With a sanitizer, which
// keeps memory of its own, there is nothing to wait for.
#ifdef TROUPE_SANITIZED
inline constexpr absl::Duration kPatience = absl::ZeroDuration();
#else
inline constexpr absl::Duration kPatience = absl::Seconds(10);
#endif

// Waits until at most so many are resident, for `timeout` at most, and a moment
// longer: a runtime may still be giving back. Returns how many there are then.
int64_t AwaitResidentBytes(int64_t at_most, absl::Duration timeout);

// Forgets the peak. Where the kernel does not permit it, the peak stays that of
// the whole process.
void ResetPeakResidentBytes();

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_RESIDENT_MEMORY_H_
