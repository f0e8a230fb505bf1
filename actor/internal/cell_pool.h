// Type-stable memory for cells: once a slot has held a cell it holds a cell for
// ever, so that a thread with an old reference may always look at it.
//
// A thread takes from and returns to two chains of its own, last in first out;
// only full and empty ones pass through the one depot of the process.
//
// Ownership: a slot belongs to who took it until Return().
// Thread safety: any thread.
// Errors: memory that cannot be had ends in std::bad_alloc.
#ifndef TROUPE_ACTOR_INTERNAL_CELL_POOL_H_
#define TROUPE_ACTOR_INTERNAL_CELL_POOL_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/cell_depot.h"

namespace troupe::internal {

class CellPool {
 public:
  static constexpr uint8_t kClasses = CellDepot::kClasses;

  // The class whose slots hold a cell and an object of `object_bytes` behind
  // it.
  static constexpr uint8_t ClassOf(size_t object_bytes) {
    uint8_t c = 0;
    while (CellDepot::kSlotBytes[c] < sizeof(Cell) + object_bytes) ++c;
    return c;
  }

  [[nodiscard]] static Cell& Take(uint8_t slot_class) {
    Cache& cache = cache_[slot_class];
    if (cache.top == nullptr) [[unlikely]]
      return TakeSlow(slot_class);
    return cache.Pop();
  }
  // REQUIRES: the actor is gone, its mailbox dead, its owner tag removed.
  static void Return(Cell& cell) {
    Cache& cache = cache_[cell.slot_class];
    if (cache.count == cache.limit) [[unlikely]]
      return ReturnSlow(cell);
    cache.Push(cell);
  }

  // Calls `visit` for every cell that may have an actor, and for others.
  static void ForEach(absl::FunctionRef<void(Cell&)> visit);

  // Gives memory that nobody uses back to the system, but for what other
  // threads keep in their chains: 128 cells of each class at most. A step, some
  // 50 us of work; false: there was nothing to be done.
  static bool ReleaseSomeUnused();

  // Gives the chains of this thread to the depot.
  static void EmptyThreadCache();
  // Whether this thread's chains are empty from now on. For tests, as
  // EnvelopePool::KeepNothing().
  static void KeepNothing(bool nothing);

  // Bytes of memory that cells occupy or that are kept for them.
  static size_t HeldBytes();

 private:
  friend class CellPoolCacheReturner;
  // The chain in use.
  struct Cache : CellDepot::Chain {
    uint32_t limit = 0;         // 0: never used, or the thread is ending.
    CellDepot::Chain previous;  // Empty or full.
  };

  static CellDepot& Depot();
  static Cell& TakeSlow(uint8_t slot_class);
  static void ReturnSlow(Cell& cell);
  static bool OpenCache();

  static constinit thread_local Cache cache_[kClasses];
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CELL_POOL_H_
