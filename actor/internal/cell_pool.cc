#include "troupe/actor/internal/cell_pool.h"

#include <utility>

#include "troupe/base/allocation_gate.h"

namespace troupe::internal {

using Chain = CellDepot::Chain;

constinit thread_local CellPool::Cache CellPool::cache_[CellPool::kClasses] =
    {};

CellDepot& CellPool::Depot() {
  // Never destroyed: references to cells may outlive everything else.
  static CellDepot* const depot = new CellDepot;
  return *depot;
}

// Gives back what a thread's cache holds when the thread ends.
class CellPoolCacheReturner {
 public:
  bool open = true;   // Until the thread ends.
  bool keeps = true;  // See CellPool::KeepNothing().

  ~CellPoolCacheReturner() {
    open = false;
    CellPool::EmptyThreadCache();
    for (CellPool::Cache& cache : CellPool::cache_) cache.limit = 0;
  }
};

namespace {

thread_local CellPoolCacheReturner returner;

}  // namespace

bool CellPool::OpenCache() {
  if (!returner.open || !returner.keeps) return false;
  for (Cache& cache : cache_) cache.limit = CellDepot::kBatchCells;
  return true;
}

void CellPool::EmptyThreadCache() {
  for (uint8_t c = 0; c < kClasses; ++c) {
    Chain& chain = cache_[c];
    for (Chain* const kept : {&chain, &cache_[c].previous}) {
      if (kept->count > 0) Depot().Put(c, std::exchange(*kept, {}));
    }
  }
}

void CellPool::KeepNothing(bool nothing) {
  EmptyThreadCache();
  returner.keeps = !nothing;
  for (Cache& cache : cache_) cache.limit = 0;
}

Cell& CellPool::TakeSlow(uint8_t slot_class) {
  PassAllocationGate();
  Cache& cache = cache_[slot_class];
  const bool open = OpenCache();
  Chain& chain = cache;
  chain = cache.previous.count > 0 ? std::exchange(cache.previous, {})
                                   : Depot().Take(slot_class);
  Cell& cell = cache.Pop();
  if (!open) EmptyThreadCache();
  return cell;
}

void CellPool::ReturnSlow(Cell& cell) {
  Cache& cache = cache_[cell.slot_class];
  if (!OpenCache()) {
    cache.Push(cell);
    return EmptyThreadCache();
  }
  if (cache.count == cache.limit) {
    if (cache.previous.count > 0) Depot().Put(cell.slot_class, cache.previous);
    cache.previous = std::exchange<Chain>(cache, {});
  }
  cache.Push(cell);
}

void CellPool::ForEach(absl::FunctionRef<void(Cell&)> visit) {
  Depot().ForEach(visit);
}

bool CellPool::ReleaseSomeUnused() {
  EmptyThreadCache();
  return Depot().ReleaseSome();
}

size_t CellPool::HeldBytes() { return Depot().held_bytes(); }

}  // namespace troupe::internal
