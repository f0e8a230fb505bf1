// Type-stable memory for cells: once a slot has held a cell it holds a cell for
// ever, so that a thread with an old reference may always look at it.
//
// A thread takes from and returns to a chain of its own, last in first out;
// surplus and need go through one depot of the process, in batches.
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

namespace troupe::internal {

class CellPool {
 public:
  static constexpr uint8_t kClasses = 6;
  static constexpr size_t kSlotBytes[kClasses] = {192, 256,  384,
                                                  512, 1024, 2048};
  static constexpr uint32_t kBatch = 64;

  // The class whose slots hold a cell and an object of `object_bytes` behind
  // it.
  static constexpr uint8_t ClassOf(size_t object_bytes) {
    uint8_t c = 0;
    while (kSlotBytes[c] < sizeof(Cell) + object_bytes) ++c;
    return c;
  }

  [[nodiscard]] static Cell& Take(uint8_t slot_class) {
    Chain& chain = cache_[slot_class];
    if (chain.top == nullptr) [[unlikely]]
      return TakeSlow(slot_class);
    Cell& cell = *chain.top;
    chain.top = cell.parent;
    --chain.count;
    return cell;
  }
  // REQUIRES: the actor is gone, its mailbox dead, its owner tag removed.
  static void Return(Cell& cell) {
    Chain& chain = cache_[cell.slot_class];
    if (chain.count >= chain.limit) [[unlikely]]
      return ReturnSlow(cell);
    cell.parent = chain.top;
    chain.top = &cell;
    ++chain.count;
  }

  // Calls `visit` for every cell that the process has, free ones too.
  static void ForEach(absl::FunctionRef<void(Cell&)> visit);

 private:
  friend class CellPoolCacheReturner;
  struct Chain {
    Cell* top = nullptr;  // Linked by `parent`.
    uint32_t count = 0;
    uint32_t limit = 0;  // 0: never used, or the thread is ending.
  };
  class Depot;

  static Cell& TakeSlow(uint8_t slot_class);
  static void ReturnSlow(Cell& cell);
  static bool PrepareCache();

  static constinit thread_local Chain cache_[kClasses];
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CELL_POOL_H_
