// Lets a test refuse memory to the runtime: the pools of messages, coroutine
// frames and actors ask the gate of the calling thread, where there is one,
// before they give memory out. They do so where they have none in their caches;
// who sets a gate also lets them keep none (EnvelopePool::KeepNothing()), so
// that it is asked each time. Without a gate nothing is asked, and costs
// nothing.
//
// Thread safety: each thread has a gate of its own.
#ifndef TROUPE_BASE_ALLOCATION_GATE_H_
#define TROUPE_BASE_ALLOCATION_GATE_H_

#include <new>

namespace troupe::internal {

class AllocationGate {
 public:
  // Whether there is memory. Must not allocate.
  virtual bool Admits() = 0;

 protected:
  ~AllocationGate() = default;
};

// The calling thread's; mostly null.
extern constinit thread_local AllocationGate* allocation_gate;

// Throws std::bad_alloc if the gate says so.
inline void PassAllocationGate() {
  if (allocation_gate != nullptr && !allocation_gate->Admits()) [[unlikely]] {
    throw std::bad_alloc();
  }
}

}  // namespace troupe::internal

#endif  // TROUPE_BASE_ALLOCATION_GATE_H_
