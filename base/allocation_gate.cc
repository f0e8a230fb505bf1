#include "troupe/base/allocation_gate.h"

namespace troupe::internal {

constinit thread_local AllocationGate* allocation_gate = nullptr;

}  // namespace troupe::internal
