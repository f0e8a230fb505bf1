#include "troupe/testing/memory_shortage.h"

#include <utility>

#include "troupe/actor/internal/cell_pool.h"
#include "troupe/mailbox/envelope_pool.h"

namespace troupe::testing {
namespace {

void Set(troupe::internal::AllocationGate* gate) {
  EnvelopePool::KeepNothing(gate != nullptr);
  troupe::internal::CellPool::KeepNothing(gate != nullptr);
  troupe::internal::allocation_gate = gate;
}

}  // namespace

MemoryShortage::MemoryShortage(std::function<bool()> refuses)
    : refuses_(std::move(refuses)), outer_(troupe::internal::allocation_gate) {
  Set(this);
}

MemoryShortage::~MemoryShortage() { Set(outer_); }

}  // namespace troupe::testing
