#include "troupe/actor/internal/cell_pool.h"

#include <sys/mman.h>

#include <new>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace troupe::internal {

constinit thread_local CellPool::Chain CellPool::cache_[CellPool::kClasses] =
    {};

namespace {

constexpr size_t kSlabBytes = size_t{2} << 20;

}  // namespace

class CellPool::Depot {
 public:
  static Depot& Get() {
    // Never destroyed: references to cells may outlive everything else.
    static Depot* const depot = new Depot;
    return *depot;
  }

  // Takes a batch; `chain` is empty.
  void Fill(uint8_t slot_class, Chain& chain) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    Chain& stock = stock_[slot_class];
    while (chain.count < kBatch && stock.top != nullptr) {
      Move(stock, chain);
    }
    if (chain.count == 0) Cut(slot_class, chain);
  }

  // Puts `count` cells of `chain` into the stock.
  void Put(uint8_t slot_class, Chain& chain, uint32_t count)
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    while (count-- > 0) Move(chain, stock_[slot_class]);
  }

  void ForEach(absl::FunctionRef<void(Cell&)> visit) ABSL_LOCKS_EXCLUDED(mu_) {
    std::vector<Slab> slabs;
    {
      absl::MutexLock lock(&mu_);
      slabs = slabs_;
    }
    for (const Slab& slab : slabs) {
      for (char* slot = slab.begin; slot != slab.end; slot += slab.slot_bytes) {
        visit(*reinterpret_cast<Cell*>(slot));
      }
    }
  }

 private:
  // A run of slots of one class whose cells are all constructed.
  struct Slab {
    char* begin;
    char* end;
    size_t slot_bytes;
  };

  static void Move(Chain& from, Chain& to) {
    Cell* const cell = from.top;
    from.top = cell->parent;
    --from.count;
    cell->parent = to.top;
    to.top = cell;
    ++to.count;
  }

  void Cut(uint8_t slot_class, Chain& chain)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const size_t slot_bytes = kSlotBytes[slot_class];
    const size_t wanted = slot_bytes * kBatch;
    if (fresh_[slot_class].end - fresh_[slot_class].begin <
        static_cast<ptrdiff_t>(wanted)) {
      fresh_[slot_class] = Map(slot_bytes);
    }
    Slab& fresh = fresh_[slot_class];
    char* const begin = fresh.begin;
    fresh.begin += wanted;
    for (char* slot = fresh.begin; slot != begin;) {
      slot -= slot_bytes;
      Cell* const cell = ::new (slot) Cell;
      cell->slot_class = slot_class;
      cell->parent = chain.top;
      chain.top = cell;
      ++chain.count;
    }
    slabs_.push_back({begin, fresh.begin, slot_bytes});
  }

  Slab Map(size_t slot_bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    void* const memory = mmap(nullptr, kSlabBytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    if (mapped_ > 0) madvise(memory, kSlabBytes, MADV_HUGEPAGE);
    ++mapped_;
    char* const begin = static_cast<char*>(memory);
    return {begin, begin + kSlabBytes, slot_bytes};
  }

  absl::Mutex mu_;
  Chain stock_[kClasses] ABSL_GUARDED_BY(mu_);
  Slab fresh_[kClasses] ABSL_GUARDED_BY(mu_) = {};
  std::vector<Slab> slabs_ ABSL_GUARDED_BY(mu_);
  int mapped_ ABSL_GUARDED_BY(mu_) = 0;
};

class CellPoolCacheReturner {
 public:
  bool open = true;

  ~CellPoolCacheReturner() {
    open = false;
    for (uint8_t c = 0; c < CellPool::kClasses; ++c) {
      CellPool::Chain& chain = CellPool::cache_[c];
      CellPool::Depot::Get().Put(c, chain, chain.count);
      chain.limit = 0;
    }
  }
};

namespace {

thread_local CellPoolCacheReturner returner;

}  // namespace

bool CellPool::PrepareCache() {
  if (!returner.open) return false;
  for (Chain& chain : cache_) chain.limit = 2 * kBatch;
  return true;
}

Cell& CellPool::TakeSlow(uint8_t slot_class) {
  Chain& chain = cache_[slot_class];
  const bool cached = PrepareCache();
  Depot::Get().Fill(slot_class, chain);
  Cell& cell = *chain.top;
  chain.top = cell.parent;
  --chain.count;
  if (!cached) Depot::Get().Put(slot_class, chain, chain.count);
  return cell;
}

void CellPool::ReturnSlow(Cell& cell) {
  Chain& chain = cache_[cell.slot_class];
  const bool cached = PrepareCache();
  cell.parent = chain.top;
  chain.top = &cell;
  ++chain.count;
  if (!cached || chain.count > kBatch) {
    Depot::Get().Put(cell.slot_class, chain, cached ? kBatch : chain.count);
  }
}

void CellPool::ForEach(absl::FunctionRef<void(Cell&)> visit) {
  Depot::Get().ForEach(visit);
}

}  // namespace troupe::internal
