// Counts the allocations of the program that this is linked into: every call of
// malloc and the like, by whomever, operator new included.
//
// Only for benchmarks and their tests: it takes the place of malloc.
#ifndef TROUPE_BENCHMARKS_ALLOCATION_COUNT_H_
#define TROUPE_BENCHMARKS_ALLOCATION_COUNT_H_

#include <cstdint>

namespace troupe::benchmarks {

// Allocations of all threads since the program started. In the lane of the
// thread sanitizer, which does not tell of them, without those with an
// alignment.
//
// Thread safety: any thread.
uint64_t AllocationCount();

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_ALLOCATION_COUNT_H_
