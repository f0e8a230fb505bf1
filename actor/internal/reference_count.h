// How many refer to an object that the last of them destroys.
//
// Thread safety: any thread that has a reference.
// Memory ordering: what was done with a reference before it was dropped is
// visible to who destroys the object.
#ifndef TROUPE_ACTOR_INTERNAL_REFERENCE_COUNT_H_
#define TROUPE_ACTOR_INTERNAL_REFERENCE_COUNT_H_

#include <atomic>
#include <cstdint>

#include "troupe/base/atomics.h"

namespace troupe::internal {

template <typename Atomics = RealAtomics>
class ReferenceCount {
 public:
  // Relaxed: who adds has a reference, so nothing is destroyed yet, and the new
  // ones get to others in ways that order it.
  void Add(uint32_t references) {
    references_.fetch_add(references, std::memory_order_relaxed);
  }
  // Whether these were the last. DROP, release: what was done with them comes
  // before the destructor; acquire: the destructor comes after what was done
  // with the others. Pairs with itself.
  [[nodiscard]] bool Drop(uint32_t references) {
    return references_.fetch_add(0 - references, std::memory_order_acq_rel) ==
           references;
  }

 private:
  typename Atomics::template Atomic<uint32_t> references_{1};
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_REFERENCE_COUNT_H_
