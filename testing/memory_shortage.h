// While it lives, the runtime may be refused memory that this thread asks it
// for: for messages, coroutines and actors (Simulation::MayLackMemory()).
//
// Thread safety: for one thread; in the reverse order of their making.
#ifndef TROUPE_TESTING_MEMORY_SHORTAGE_H_
#define TROUPE_TESTING_MEMORY_SHORTAGE_H_

#include <functional>

#include "troupe/base/allocation_gate.h"

namespace troupe::testing {

class [[nodiscard]] MemoryShortage final
    : private troupe::internal::AllocationGate {
 public:
  // Whether to refuse is asked for each allocation.
  explicit MemoryShortage(std::function<bool()> refuses);
  MemoryShortage(const MemoryShortage&) = delete;
  MemoryShortage& operator=(const MemoryShortage&) = delete;
  ~MemoryShortage();

 private:
  bool Admits() override { return !refuses_(); }

  const std::function<bool()> refuses_;
  troupe::internal::AllocationGate* const outer_;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_MEMORY_SHORTAGE_H_
