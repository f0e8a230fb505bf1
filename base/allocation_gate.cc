#include "troupe/base/allocation_gate.h"

#include <new>

namespace troupe::internal {

constinit thread_local AllocationGate* allocation_gate = nullptr;

void PassAllocationGate() {
  if (allocation_gate != nullptr && !allocation_gate->Admits()) {
    throw std::bad_alloc();
  }
}

}  // namespace troupe::internal
