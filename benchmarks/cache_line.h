// How far apart the processors of this machine are just now.
#ifndef TROUPE_BENCHMARKS_CACHE_LINE_H_
#define TROUPE_BENCHMARKS_CACHE_LINE_H_

namespace troupe::benchmarks {

// The time, in nanoseconds, that a cache line takes from one thread to another
// and back; the median over some 20 ms. On a virtual machine it changes with
// where the host puts the processors, and figures for two workers with it.
//
// Blocking: uses two processors all the time.
double CacheLineRoundTripNanoseconds();

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_CACHE_LINE_H_
