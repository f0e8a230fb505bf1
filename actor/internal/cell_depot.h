// The cells that no thread holds, and the memory they are cut from.
//
// Memory is mapped in slabs of 2 MiB, each for one size class, and is never
// unmapped: a thread with an old reference may always look at its cell. A slab
// is divided into batches of 64 slots, whole pages each. A batch whose cells
// are all here is whole, and its pages can be given back to the system: it is
// vacant then, as is one that was never used.
//
// Who looks at a vacant cell finds zeros, which are a dead cell, or what the
// last actor left there. When the memory is used again, its cells go on behind
// every generation that any cell of the batch has had, so that a push that is
// late by many lives is refused as one that is late by one. More in
// docs/design/hot_path.md, section 7.
//
// Ownership: cells belong to the depot from Put() to Take(). A free cell is
// dead, owned by no worker, and holds nothing.
// Blocking: one lock; held for the cells of a batch at most, or for mapping a
// slab. Giving pages back happens outside of it.
// Thread safety: any thread.
// Errors: memory that cannot be had ends in std::bad_alloc.
#ifndef TROUPE_ACTOR_INTERNAL_CELL_DEPOT_H_
#define TROUPE_ACTOR_INTERNAL_CELL_DEPOT_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "troupe/actor/internal/cell.h"

namespace troupe::internal {

// The generation from which cells that have these go on together: the last on
// the shortest arc of the circle of generations that holds them all. None skips
// more than the length of that arc, 63/64 of the circle at the very worst.
// Sorts its argument, which is not empty.
uint16_t CommonGeneration(absl::Span<uint16_t> generations);

class CellDepot {
 public:
  static constexpr uint8_t kClasses = 6;
  static constexpr size_t kSlotBytes[kClasses] = {192, 256,  384,
                                                  512, 1024, 2048};
  static constexpr uint32_t kBatchCells = 64;
  static constexpr size_t kSlabBytes = size_t{2} << 20;

  // Of each class.
  static constexpr size_t kStockBytes = size_t{1} << 20;

  // Free cells, linked by `parent`; full with a batch of them.
  struct Chain {
    Cell* top = nullptr;
    uint32_t count = 0;

    void Push(Cell& cell) {
      cell.parent = top;
      top = &cell;
      ++count;
    }
    // REQUIRES: not empty.
    Cell& Pop() {
      Cell& cell = *top;
      top = cell.parent;
      --count;
      return cell;
    }
  };

  CellDepot();
  CellDepot(const CellDepot&) = delete;
  CellDepot& operator=(const CellDepot&) = delete;
  // Unmaps everything. REQUIRES: nobody uses or looks at a cell.
  ~CellDepot();

  // At least one cell, and at most a full chain.
  [[nodiscard]] Chain Take(uint8_t slot_class) ABSL_LOCKS_EXCLUDED(mu_);
  // Any number of cells up to a full chain, all of the class.
  void Put(uint8_t slot_class, Chain chain) ABSL_LOCKS_EXCLUDED(mu_);

  // A step towards giving back every page that has only cells that are here:
  // empties a part of the stock, or gives back pages of some batches, some 50
  // us of work. False if there is nothing left to be done.
  bool ReleaseSome() ABSL_LOCKS_EXCLUDED(mu_);

  // Calls `visit` for every cell that has been taken since its pages were last
  // given back, free ones too. Outside of the lock: each may change meanwhile.
  void ForEach(absl::FunctionRef<void(Cell&)> visit) ABSL_LOCKS_EXCLUDED(mu_);

  // Bytes in batches that are not vacant.
  size_t held_bytes() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Where cells can be had, the best place first. A batch without a free cell
  // is none of them, nor is one whose pages are being given back.
  enum Supply : uint8_t {
    kPartial,  // Some of its cells are here.
    kWhole,    // All of them.
    kVacant,   // It has no pages.
    kSupplies,
  };
  struct Batch;
  struct Slab;

  // The newest cells of full chains.
  struct Stock {
    static constexpr uint32_t kMaxChains =
        kStockBytes / (kSlotBytes[0] * kBatchCells);
    Cell* tops[kMaxChains];
    uint32_t chains = 0;
  };

  static constexpr size_t BatchBytes(uint8_t slot_class) {
    return kSlotBytes[slot_class] * kBatchCells;
  }
  static constexpr uint32_t StockedChains(uint8_t slot_class) {
    return kStockBytes / BatchBytes(slot_class);
  }
  static Cell& CellAt(Slab& slab, size_t offset);

  void Add(Slab& slab, Supply supply, uint32_t batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Remove(Slab& slab, Supply supply, uint32_t batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // False: the stock is empty.
  bool ScatterSomeStock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Scatter(Chain chain) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Moves cells of a batch that is kPartial or kWhole.
  void TakeCells(Slab& slab, Supply supply, Chain& chain)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // One with whole batches, or the newest of a class if it may have pages that
  // nobody has touched. Null: there is none.
  Slab* SlabToRelease() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // With which the cells of a whole batch can go on.
  static uint16_t NextGeneration(Slab& slab, uint32_t batch);
  // Makes the cells of a vacant batch.
  void Furnish(Slab& slab, Chain& chain) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void PutCell(Slab& slab, Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Slab& MapSlab(uint8_t slot_class) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  Slab& SlabOf(const Cell& cell) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  mutable absl::Mutex mu_;
  Stock stocks_[kClasses] ABSL_GUARDED_BY(mu_);
  // Slabs with such batches; the one that has had some for the shortest time is
  // the first.
  Slab* first_[kClasses][kSupplies] ABSL_GUARDED_BY(mu_) = {};
  // All slabs, by the number of their 2 MiB of address space.
  absl::flat_hash_map<uintptr_t, std::unique_ptr<Slab>> slabs_
      ABSL_GUARDED_BY(mu_);
  Slab* newest_[kClasses] ABSL_GUARDED_BY(mu_) = {};  // The others are used up.
  Slab* recent_ ABSL_GUARDED_BY(mu_) = nullptr;  // What SlabOf() found last.
  size_t held_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CELL_DEPOT_H_
