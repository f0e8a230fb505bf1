// Invariants, whenever the lock is free:
//  1. A block is in one place only: with a caller, in the stock, or in
//     `blocks` of the page it lies in.
//  2. A page serves a class as long as one of its blocks is elsewhere. It is in
//     `partial_` if it has some of them and in no list if it has none.
//  3. Pages in `free_` and `returned_` serve no class: Cut() makes new blocks.

#include "troupe/mailbox/internal/envelope_depot.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <new>

#include "troupe/base/sanitizer.h"

namespace troupe::internal {
namespace {

// What one Put() gives back at most: some 10 us of the kernel's time.
constexpr size_t kPagesPerReturn = 64;

// Adds a block to a chain.
void Push(Magazine& magazine, FreeBlock* block) {
  block->next = magazine.top;
  magazine.top = block;
  ++magazine.count;
}

// Takes the newest out again.
FreeBlock* Pop(Magazine& magazine) {
  FreeBlock* const block = magazine.top;
  magazine.top = block->next;
  --magazine.count;
  return block;
}

}  // namespace

void EnvelopeDepot::PageList::PushFront(Page* page) {
  page->previous = nullptr;
  page->next = first;
  (first != nullptr ? first->previous : last) = page;
  first = page;
  ++count;
}

void EnvelopeDepot::PageList::Remove(Page* page) {
  (page->next != nullptr ? page->next->previous : last) = page->previous;
  (page->previous != nullptr ? page->previous->next : first) = page->next;
  --count;
}

EnvelopeDepot::Slab* EnvelopeDepot::SlabOf(const void* address) {
  return reinterpret_cast<Slab*>(reinterpret_cast<uintptr_t>(address) &
                                 ~(kSlabBytes - 1));
}

EnvelopeDepot::Page* EnvelopeDepot::PageOf(const void* block) {
  const size_t offset = reinterpret_cast<uintptr_t>(block) & (kSlabBytes - 1);
  return &SlabOf(block)->pages[offset / kPageBytes - kHeaderPages];
}

char* EnvelopeDepot::MemoryOf(Page* page) {
  Slab* const slab = SlabOf(page);
  return reinterpret_cast<char*>(slab) +
         (kHeaderPages + (page - slab->pages)) * kPageBytes;
}

EnvelopeDepot::EnvelopeDepot(const Limits& limits) : limits_(limits) {}

EnvelopeDepot::~EnvelopeDepot() {
  while (slabs_ != nullptr) {
    Slab* const slab = slabs_;
    slabs_ = slab->next;
    Unmap(slab);
  }
}

Magazine EnvelopeDepot::Take(uint8_t size_class, uint32_t max_blocks) {
  absl::MutexLock lock(&mu_);
  CountCall();
  if (max_blocks == MagazineBlocks(size_class) &&
      stocks_[size_class].top != nullptr) {
    return TakeFromStock(size_class);
  }
  while (true) {
    const Magazine magazine = TakeFromPages(size_class, max_blocks);
    if (magazine.count > 0) return magazine;
    if (stocks_[size_class].top != nullptr) {
      // A few blocks are wanted, and only whole magazines are left.
      Scatter(size_class, TakeFromStock(size_class));
    } else {
      MapSlab();
    }
  }
}

Magazine EnvelopeDepot::TakeFromStock(uint8_t size_class) {
  Stock& stock = stocks_[size_class];
  Stored* const stored = stock.top;
  stock.top = stored->below;
  --stock.magazines;
  PoisonMemory(static_cast<FreeBlock*>(stored) + 1,
               sizeof(Stored) - sizeof(FreeBlock));
  return {stored, MagazineBlocks(size_class)};
}

Magazine EnvelopeDepot::TakeFromPages(uint8_t size_class, uint32_t max_blocks) {
  Magazine magazine;
  PageList& partial = partial_[size_class];
  while (magazine.count < max_blocks) {
    if (partial.count == 0) {
      Page* const page = FreshPage();
      if (page == nullptr) break;
      page->blocks = {};
      page->state = PageState::kInUse;
      if (BlocksInPage(size_class) <= max_blocks - magazine.count) {
        Cut(page, size_class, magazine);
        continue;
      }
      Cut(page, size_class, page->blocks);
      page->state = PageState::kPartial;
      partial.PushFront(page);
    }
    Page* const page = partial.first;
    while (page->blocks.count > 0 && magazine.count < max_blocks) {
      Push(magazine, Pop(page->blocks));
    }
    if (page->blocks.count == 0) {
      partial.Remove(page);
      page->state = PageState::kInUse;
    }
  }
  return magazine;
}

EnvelopeDepot::Page* EnvelopeDepot::FreshPage() {
  Page* page;
  if (free_.count > 0) {
    page = free_.first;
    free_.Remove(page);
    fewest_free_ = std::min(fewest_free_, free_.count);
    surplus_pages_ = std::min(surplus_pages_, free_.count);
    return page;
  }
  if (returned_.count > 0) {
    page = returned_.first;
    returned_.Remove(page);
    --SlabOf(page)->returned;
  } else if (touched_pages_ < kPages) {
    page = &slabs_->pages[touched_pages_++];
  } else {
    return nullptr;
  }
  ++held_pages_;
  return page;
}

void EnvelopeDepot::Cut(Page* page, uint8_t size_class, Magazine& blocks) {
  const size_t block_bytes = BlockBytes(size_class);
  // Downwards, so that the blocks come out in the order of their addresses.
  char* const begin = MemoryOf(page);
  // It may have been cut otherwise before.
  UnpoisonMemory(begin, kPageBytes);
  for (char* at = begin + BlocksInPage(size_class) * block_bytes;
       at != begin;) {
    at -= block_bytes;
    Push(blocks, ::new (at) FreeBlock);
    PoisonMemory(at + sizeof(FreeBlock), block_bytes - sizeof(FreeBlock));
  }
}

void EnvelopeDepot::MapSlab() {
  if (limits_.mapped_bytes / kSlabBytes <= slab_count_) throw std::bad_alloc();
  // Twice the size, so that an aligned slab lies within.
  void* const mapping = mmap(nullptr, 2 * kSlabBytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  char* const begin = static_cast<char*>(mapping);
  const size_t before =
      (kSlabBytes - reinterpret_cast<uintptr_t>(begin) % kSlabBytes) %
      kSlabBytes;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + kSlabBytes, kSlabBytes - before);
  // From the second slab on the process is one that needs many: fewer and
  // larger pages then. A small process stays small.
  if (slabs_ != nullptr) {
    madvise(begin + before, kSlabBytes, MADV_HUGEPAGE);
  }
  Slab* const slab = ::new (begin + before) Slab;
  slab->next = slabs_;
  if (slabs_ != nullptr) slabs_->previous = slab;
  slabs_ = slab;
  ++slab_count_;
  touched_pages_ = 0;
}

void EnvelopeDepot::Unlink(Slab* slab) {
  for (size_t i = 0; i < slab->returned; ++i) returned_.Remove(&slab->pages[i]);
  if (slab->next != nullptr) slab->next->previous = slab->previous;
  if (slab->previous != nullptr) {
    slab->previous->next = slab->next;
  } else {
    slabs_ = slab->next;
    touched_pages_ = kPages;
  }
  --slab_count_;
}

void EnvelopeDepot::Unmap(Slab* slab) {
  UnpoisonMemory(slab, kSlabBytes);
  munmap(slab, kSlabBytes);
}

void EnvelopeDepot::Put(uint8_t size_class, Magazine magazine) {
  if (magazine.count == 0) return;
  size_t surplus_pages;
  {
    absl::MutexLock lock(&mu_);
    CountCall();
    surplus_pages = surplus_pages_;
    Stock& stock = stocks_[size_class];
    const uint32_t full = MagazineBlocks(size_class);
    const size_t stock_magazines =
        limits_.stock_bytes / (full * BlockBytes(size_class));
    if (magazine.count == full && stock.magazines < stock_magazines) {
      Stored* const stored = static_cast<Stored*>(magazine.top);
      UnpoisonMemory(stored, sizeof(Stored));
      stored->below = stock.top;
      stock.top = stored;
      ++stock.magazines;
    } else {
      Scatter(size_class, magazine);
    }
  }
  if (surplus_pages > 0) [[unlikely]] {
    ReturnPages(std::min(surplus_pages, kPagesPerReturn));
  }
}

void EnvelopeDepot::CountCall() {
  if (++calls_ < limits_.epoch_calls) return;
  const size_t warm_pages = limits_.warm_bytes / kPageBytes;
  surplus_pages_ =
      fewest_free_ > warm_pages ? (fewest_free_ - warm_pages + 1) / 2 : 0;
  fewest_free_ = free_.count;
  calls_ = 0;
}

void EnvelopeDepot::Scatter(uint8_t size_class, Magazine magazine) {
  PageList& partial = partial_[size_class];
  while (magazine.count > 0) {
    FreeBlock* const block = Pop(magazine);
    Page* const page = PageOf(block);
    Push(page->blocks, block);
    if (page->blocks.count == BlocksInPage(size_class)) {
      if (page->state == PageState::kPartial) partial.Remove(page);
      page->state = PageState::kFree;
      free_.PushFront(page);
    } else if (page->state == PageState::kInUse) {
      page->state = PageState::kPartial;
      partial.PushFront(page);
    }
  }
}

size_t EnvelopeDepot::ReturnPages(size_t max_pages) {
  struct Run {  // Of adjacent pages.
    uint16_t first;
    uint16_t pages;
  };
  Run runs[(kPages + 1) / 2];  // Every second page may be free.
  size_t run_count = 0;
  size_t pages = 0;
  Slab* slab;
  {
    absl::MutexLock lock(&mu_);
    if (free_.count == 0) return 0;
    slab = SlabOf(free_.last);
    for (uint16_t i = 0; i < kPages && pages < max_pages; ++i) {
      Page* const page = &slab->pages[i];
      if (page->state != PageState::kFree) continue;
      free_.Remove(page);
      page->state = PageState::kReturning;
      ++pages;
      if (run_count > 0 &&
          runs[run_count - 1].first + runs[run_count - 1].pages == i) {
        ++runs[run_count - 1].pages;
      } else {
        runs[run_count++] = {i, 1};
      }
    }
    held_pages_ -= pages;
    fewest_free_ = std::min(fewest_free_, free_.count);
    surplus_pages_ -= std::min(surplus_pages_, pages);
  }
  // Nobody else reaches pages that are being returned: others need not wait.
  for (size_t r = 0; r < run_count; ++r) {
    // Without effect where memory is locked; the pages are free all the same.
    madvise(MemoryOf(&slab->pages[runs[r].first]), runs[r].pages * kPageBytes,
            MADV_DONTNEED);
  }
  {
    absl::MutexLock lock(&mu_);
    for (size_t r = 0; r < run_count; ++r) {
      for (uint16_t i = 0; i < runs[r].pages; ++i) {
        Page* const page = &slab->pages[runs[r].first + i];
        page->state = PageState::kReturned;
        returned_.PushFront(page);
      }
    }
    slab->returned += pages;
    if (slab->returned < (slab == slabs_ ? touched_pages_ : kPages)) {
      return pages;
    }
    Unlink(slab);
  }
  Unmap(slab);
  return pages;
}

void EnvelopeDepot::ReleaseUnused() {
  for (uint8_t c = 0; c < kSizeClasses; ++c) {
    uint32_t magazines;
    {
      absl::MutexLock lock(&mu_);
      magazines = stocks_[c].magazines;
    }
    // One at a time: others may want the lock, and bring new ones meanwhile.
    for (; magazines > 0; --magazines) {
      absl::MutexLock lock(&mu_);
      if (stocks_[c].top == nullptr) break;
      Scatter(c, TakeFromStock(c));
    }
  }
  while (ReturnPages(kPages) > 0) {
  }
  ReturnUntouched();
}

bool EnvelopeDepot::ReleaseSome() {
  {
    absl::MutexLock lock(&mu_);
    for (uint8_t c = 0; c < kSizeClasses; ++c) {
      if (stocks_[c].top == nullptr) continue;
      Scatter(c, TakeFromStock(c));
      return true;
    }
  }
  if (ReturnPages(kPages) > 0) return true;
  ReturnUntouched();
  return false;
}

void EnvelopeDepot::ReturnUntouched() {
  absl::MutexLock lock(&mu_);
  if (touched_pages_ == kPages) return;
  madvise(MemoryOf(&slabs_->pages[touched_pages_]),
          (kPages - touched_pages_) * kPageBytes, MADV_DONTNEED);
}

EnvelopeDepot::Usage EnvelopeDepot::usage() const {
  absl::MutexLock lock(&mu_);
  return {slab_count_ * kSlabBytes,
          (slab_count_ * kHeaderPages + held_pages_) * kPageBytes};
}

}  // namespace troupe::internal
