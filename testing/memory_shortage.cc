#include "troupe/testing/memory_shortage.h"

#include <utility>

#include "troupe/actor/internal/cell_pool.h"
#include "troupe/mailbox/envelope_pool.h"

namespace troupe::testing {
namespace {

// The calling thread's. The gate does not tell: it may be lifted where one
// begins or ends.
constinit thread_local int shortages = 0;

void KeepNothing(bool nothing) {
  EnvelopePool::KeepNothing(nothing);
  troupe::internal::CellPool::KeepNothing(nothing);
}

}  // namespace

MemoryShortage::MemoryShortage(std::function<bool()> refuses)
    : refuses_(std::move(refuses)), outer_(troupe::internal::allocation_gate) {
  if (++shortages == 1) KeepNothing(true);
  troupe::internal::allocation_gate = this;
}

MemoryShortage::~MemoryShortage() {
  troupe::internal::allocation_gate = outer_;
  if (--shortages == 0) KeepNothing(outer_ != nullptr);
}

}  // namespace troupe::testing
