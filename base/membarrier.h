// The expensive half of an asymmetric memory barrier: membarrier(2).
#ifndef TROUPE_BASE_MEMBARRIER_H_
#define TROUPE_BASE_MEMBARRIER_H_

namespace troupe {

// Whether the kernel offers expedited private barriers (Linux 4.14) and lets
// this process use them. Registers the process with the first call.
// Thread safety: any thread.
bool AsymmetricBarrierAvailable();

// Returns after every running thread of the process has passed a full memory
// barrier. Takes some 10 us; interrupts only cores that run this process.
// REQUIRES: AsymmetricBarrierAvailable().
void AsymmetricHeavyBarrier();

}  // namespace troupe

#endif  // TROUPE_BASE_MEMBARRIER_H_
