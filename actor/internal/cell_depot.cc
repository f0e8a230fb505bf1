// Invariants, whenever the lock is free:
//  1. A free cell is in one place only: with a caller, in the stock, or in the
//     chain of its batch.
//  2. A batch is in exactly the set of its slab that `free` tells, or in none:
//     if it has none of its cells, or while its pages are given back.
//  3. A slab is in the list of a supply if its set is not empty.
//  4. Batches are used for the first time in the order of their addresses:
//     those from `used` on never held a cell, and are vacant.

#include "troupe/actor/internal/cell_depot.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <new>
#include <utility>
#include <vector>

namespace troupe::internal {
namespace {

// Offsets of cells are counted in these.
constexpr size_t kUnit = 64;
constexpr uint32_t kMaxBatches =
    CellDepot::kSlabBytes / (CellDepot::kSlotBytes[0] * CellDepot::kBatchCells);
// What one step gives back at most.
constexpr uint32_t kBatchesPerRelease = 64;

// Of a slab.
class BatchSet {
 public:
  bool empty() const { return (words_[0] | words_[1] | words_[2]) == 0; }
  bool Has(uint32_t batch) const {
    return (words_[batch / 64] >> batch % 64 & 1) != 0;
  }
  void Add(uint32_t batch) { words_[batch / 64] |= uint64_t{1} << batch % 64; }
  void Remove(uint32_t batch) {
    words_[batch / 64] &= ~(uint64_t{1} << batch % 64);
  }
  // REQUIRES: not empty.
  uint32_t First() const {
    uint32_t word = 0;
    while (words_[word] == 0) ++word;
    return word * 64 + std::countr_zero(words_[word]);
  }

 private:
  static_assert(kMaxBatches <= 3 * 64);
  uint64_t words_[3] = {};
};

char* MapAligned(size_t bytes) {
  // Twice the size, so that an aligned part lies within.
  void* const mapping = mmap(nullptr, 2 * bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(mapping);
  const size_t before =
      (bytes - reinterpret_cast<uintptr_t>(begin) % bytes) % bytes;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + bytes, bytes - before);
  return begin + before;
}

uintptr_t NumberOf(const void* address) {
  return reinterpret_cast<uintptr_t>(address) / CellDepot::kSlabBytes;
}

}  // namespace

uint16_t CommonGeneration(absl::Span<uint16_t> generations) {
  std::sort(generations.begin(), generations.end());
  // The arc ends where the widest gap begins: at first, the one that leads over
  // zero.
  uint16_t last = generations.back();
  uint32_t widest = 0x10000 - (last - generations.front());
  for (size_t i = 1; i < generations.size(); ++i) {
    const uint32_t gap = generations[i] - generations[i - 1];
    if (gap <= widest) continue;
    widest = gap;
    last = generations[i - 1];
  }
  return last;
}

struct CellDepot::Batch {
  uint16_t top = 0;         // The newest free cell, if there is one.
  uint16_t generation = 0;  // Vacant: with which its cells go on.
  uint8_t free = 0;         // Cells that are here.
};

struct CellDepot::Slab {
  explicit Slab(uint8_t of_class) : slot_class(of_class) {}

  uint32_t batch_count() const { return kSlabBytes / BatchBytes(slot_class); }

  const uint8_t slot_class;
  char* memory = nullptr;  // Set once.
  uint32_t used = 0;       // Batches that have held cells.
  bool is_huge = false;    // Those that have not may have pages all the same.
  BatchSet batches[kSupplies];
  struct {
    Slab* next = nullptr;
    Slab* previous = nullptr;
  } links[kSupplies];
  Batch batch[kMaxBatches];
};

CellDepot::CellDepot() = default;

CellDepot::~CellDepot() {
  for (const auto& [number, slab] : slabs_) munmap(slab->memory, kSlabBytes);
}

CellDepot::Chain CellDepot::Take(uint8_t slot_class) {
  absl::MutexLock lock(&mu_);
  Stock& stock = stocks_[slot_class];
  if (stock.chains > 0) {
    return {.top = stock.tops[--stock.chains], .count = kBatchCells};
  }
  Chain chain;
  for (const Supply supply : {kPartial, kWhole}) {
    while (chain.count < kBatchCells) {
      Slab* const slab = first_[slot_class][supply];
      if (slab == nullptr) break;
      TakeCells(*slab, supply, chain);
    }
  }
  if (chain.count > 0) return chain;
  Slab* const slab = first_[slot_class][kVacant];
  Furnish(slab != nullptr ? *slab : MapSlab(slot_class), chain);
  return chain;
}

void CellDepot::Put(uint8_t slot_class, Chain chain) {
  absl::MutexLock lock(&mu_);
  Stock& stock = stocks_[slot_class];
  if (chain.count == kBatchCells && stock.chains < StockedChains(slot_class)) {
    stock.tops[stock.chains++] = chain.top;
  } else {
    Scatter(chain);
  }
}

bool CellDepot::ScatterSomeStock() {
  for (Stock& stock : stocks_) {
    if (stock.chains == 0) continue;
    Scatter({.top = stock.tops[--stock.chains], .count = kBatchCells});
    return true;
  }
  return false;
}

void CellDepot::Scatter(Chain chain) {
  while (chain.count > 0) {
    Cell& cell = chain.Pop();
    PutCell(SlabOf(cell), cell);
  }
}

bool CellDepot::ReleaseSome() {
  Slab* slab;
  uint32_t batches[kMaxBatches];  // In the order of their addresses.
  uint32_t count = 0;
  uint32_t used;
  {
    absl::MutexLock lock(&mu_);
    if (ScatterSomeStock()) return true;
    slab = SlabToRelease();
    if (slab == nullptr) return false;
    while (count < kBatchesPerRelease && !slab->batches[kWhole].empty()) {
      batches[count] = slab->batches[kWhole].First();
      Remove(*slab, kWhole, batches[count++]);
    }
    held_bytes_ -= count * BatchBytes(slab->slot_class);
    // A huge page may have brought memory where none was touched.
    slab->is_huge = false;
    used = count;
    for (uint32_t b = slab->used; b < slab->batch_count(); ++b) {
      if (!slab->batches[kVacant].Has(b)) break;  // Another thread has them.
      Remove(*slab, kVacant, b);
      batches[count++] = b;
    }
  }
  // Nobody else takes from these batches now: others need not wait.
  uint16_t generations[kMaxBatches] = {};
  for (uint32_t i = 0; i < used; ++i) {
    generations[i] = NextGeneration(*slab, batches[i]);
  }
  const size_t batch_bytes = BatchBytes(slab->slot_class);
  for (uint32_t i = 0; i < count;) {
    uint32_t run = 1;
    while (i + run < count && batches[i + run] == batches[i] + run) ++run;
    const size_t begin = batches[i] * batch_bytes;
    // What is left of the slab behind its last batch goes with that one.
    const bool last = batches[i] + run == slab->batch_count();
    // Without effect where memory is locked: the cells are as they were left
    // then, which is as good.
    madvise(slab->memory + begin, last ? kSlabBytes - begin : run * batch_bytes,
            MADV_DONTNEED);
    i += run;
  }
  absl::MutexLock lock(&mu_);
  for (uint32_t i = 0; i < count; ++i) {
    slab->batch[batches[i]] = {.generation = generations[i]};
    Add(*slab, kVacant, batches[i]);
  }
  return true;
}

CellDepot::Slab* CellDepot::SlabToRelease() {
  for (const auto& first : first_) {
    if (first[kWhole] != nullptr) return first[kWhole];
  }
  for (Slab* const slab : newest_) {
    if (slab != nullptr && slab->is_huge) return slab;
  }
  return nullptr;
}

uint16_t CellDepot::NextGeneration(Slab& slab, uint32_t batch) {
  const size_t begin = batch * BatchBytes(slab.slot_class);
  const size_t slot_bytes = kSlotBytes[slab.slot_class];
  uint16_t generations[kBatchCells];
  for (uint32_t i = 0; i < kBatchCells; ++i) {
    generations[i] = static_cast<uint16_t>(Mailbox::Word::GenerationOf(
        CellAt(slab, begin + i * slot_bytes).Load()));
  }
  return CommonGeneration(absl::MakeSpan(generations));
}

void CellDepot::ForEach(absl::FunctionRef<void(Cell&)> visit) {
  std::vector<Slab*> slabs;
  {
    absl::MutexLock lock(&mu_);
    slabs.reserve(slabs_.size());
    for (const auto& [number, slab] : slabs_) slabs.push_back(slab.get());
  }
  // Not in the order of the table, which differs from run to run.
  std::sort(slabs.begin(), slabs.end(),
            [](const Slab* a, const Slab* b) { return a->memory < b->memory; });
  for (Slab* const slab : slabs) {
    BatchSet vacant;
    {
      absl::MutexLock lock(&mu_);
      vacant = slab->batches[kVacant];
    }
    const size_t slot_bytes = kSlotBytes[slab->slot_class];
    for (uint32_t batch = 0; batch < slab->batch_count(); ++batch) {
      if (vacant.Has(batch)) continue;
      const size_t begin = batch * BatchBytes(slab->slot_class);
      for (uint32_t cell = 0; cell < kBatchCells; ++cell) {
        visit(CellAt(*slab, begin + cell * slot_bytes));
      }
    }
  }
}

size_t CellDepot::held_bytes() const {
  absl::MutexLock lock(&mu_);
  return held_bytes_;
}

Cell& CellDepot::CellAt(Slab& slab, size_t offset) {
  return *std::launder(reinterpret_cast<Cell*>(slab.memory + offset));
}

void CellDepot::Add(Slab& slab, Supply supply, uint32_t batch) {
  if (slab.batches[supply].empty()) {
    Slab*& first = first_[slab.slot_class][supply];
    slab.links[supply] = {.next = first, .previous = nullptr};
    if (first != nullptr) first->links[supply].previous = &slab;
    first = &slab;
  }
  slab.batches[supply].Add(batch);
}

void CellDepot::Remove(Slab& slab, Supply supply, uint32_t batch) {
  slab.batches[supply].Remove(batch);
  if (!slab.batches[supply].empty()) return;
  const auto& [next, previous] = slab.links[supply];
  if (next != nullptr) next->links[supply].previous = previous;
  if (previous != nullptr) {
    previous->links[supply].next = next;
  } else {
    first_[slab.slot_class][supply] = next;
  }
}

void CellDepot::TakeCells(Slab& slab, Supply supply, Chain& chain) {
  const uint32_t index = slab.batches[supply].First();
  Batch& batch = slab.batch[index];
  Cell* cell = &CellAt(slab, batch.top * kUnit);
  while (chain.count < kBatchCells && batch.free > 0) {
    Cell* const below = cell->parent;
    chain.Push(*cell);
    --batch.free;
    cell = below;
  }
  if (supply == kPartial && batch.free > 0) {
    batch.top = static_cast<uint16_t>(
        (reinterpret_cast<char*>(cell) - slab.memory) / kUnit);
    return;
  }
  Remove(slab, supply, index);
  if (batch.free == 0) return;
  batch.top = static_cast<uint16_t>(
      (reinterpret_cast<char*>(cell) - slab.memory) / kUnit);
  Add(slab, kPartial, index);
}

void CellDepot::Furnish(Slab& slab, Chain& chain) {
  const uint32_t index = slab.batches[kVacant].First();
  Remove(slab, kVacant, index);
  const size_t batch_bytes = BatchBytes(slab.slot_class);
  const size_t slot_bytes = kSlotBytes[slab.slot_class];
  const bool never_used = index == slab.used;
  if (never_used) ++slab.used;
  held_bytes_ += batch_bytes;
  char* const begin = slab.memory + index * batch_bytes;
  // Downwards, so that cells come out in the order of their addresses.
  for (char* slot = begin + batch_bytes; slot != begin;) {
    slot -= slot_bytes;
    Cell* const cell = never_used ? ::new (slot) Cell
                                  : std::launder(reinterpret_cast<Cell*>(slot));
    if (!never_used) cell->Restart(slab.batch[index].generation);
    cell->slot_class = slab.slot_class;
    chain.Push(*cell);
  }
}

void CellDepot::PutCell(Slab& slab, Cell& cell) {
  const size_t offset = reinterpret_cast<char*>(&cell) - slab.memory;
  const uint32_t index =
      static_cast<uint32_t>(offset / BatchBytes(slab.slot_class));
  Batch& batch = slab.batch[index];
  cell.parent = batch.free > 0 ? &CellAt(slab, batch.top * kUnit) : nullptr;
  batch.top = static_cast<uint16_t>(offset / kUnit);
  ++batch.free;
  if (batch.free == 1) {
    Add(slab, kPartial, index);
  } else if (batch.free == kBatchCells) {
    Remove(slab, kPartial, index);
    Add(slab, kWhole, index);
  }
}

CellDepot::Slab& CellDepot::MapSlab(uint8_t slot_class) {
  // Whatever throws does so before there is something to be lost.
  slabs_.reserve(slabs_.size() + 1);
  auto slab = std::make_unique<Slab>(slot_class);
  slab->memory = MapAligned(kSlabBytes);
  // Of the second slab of a class there will be more: fewer and larger pages
  // then. A small process stays small.
  if (newest_[slot_class] != nullptr) {
    slab->is_huge = madvise(slab->memory, kSlabBytes, MADV_HUGEPAGE) == 0;
  }
  newest_[slot_class] = slab.get();
  for (uint32_t batch = 0; batch < slab->batch_count(); ++batch) {
    Add(*slab, kVacant, batch);
  }
  return *slabs_.emplace(NumberOf(slab->memory), std::move(slab)).first->second;
}

CellDepot::Slab& CellDepot::SlabOf(const Cell& cell) {
  const uintptr_t number = NumberOf(&cell);
  if (recent_ == nullptr || NumberOf(recent_->memory) != number) {
    recent_ = slabs_.find(number)->second.get();
  }
  return *recent_;
}

}  // namespace troupe::internal
