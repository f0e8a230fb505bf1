// The seam through which the lock-free files reach atomics.
//
// A lock-free template takes an `Atomics` policy and says Atomics::Atomic<T>
// where it would say std::atomic<T>. Production code uses RealAtomics; a
// schedule checker hands in a policy whose every operation is a switch point.
#ifndef TROUPE_BASE_ATOMICS_H_
#define TROUPE_BASE_ATOMICS_H_

#include <atomic>

#include "troupe/base/membarrier.h"

namespace troupe {

struct RealAtomics {
  template <typename T>
  using Atomic = std::atomic<T>;

  // Two halves of a store-load barrier of which the frequent side costs
  // nothing: what a thread stored before LightBarrier() is seen by a thread
  // that loads it after HeavyBarrier(), or else the first thread sees, after
  // its LightBarrier(), what the other stored before its HeavyBarrier().
  static void LightBarrier() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }
  // REQUIRES: AsymmetricBarrierAvailable().
  static void HeavyBarrier() { AsymmetricHeavyBarrier(); }

  // Told to the processor (or the checker) in a loop that waits for another
  // thread's next few instructions.
  static void SpinPause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
  }
};

}  // namespace troupe

#endif  // TROUPE_BASE_ATOMICS_H_
