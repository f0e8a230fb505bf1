// The blocks that no thread holds, and the memory they are cut from.
//
// Memory is mapped in slabs of 2 MiB. A page of a slab holds blocks of one size
// class. Free blocks wait in one of two places:
//
//   * the stock: full magazines, as threads bring and fetch them. Nobody looks
//     at their blocks one by one;
//   * their own page. A page that gets all its blocks back is free: it may
//     serve another class, or be given back to the system.
//
// The stock of a class is limited; what comes beyond, and what comes in less
// than full magazines, is scattered to its pages. Of the free pages, half of
// those that a whole epoch (of so and so many magazines that came or went) did
// not need are given back. So a flood that comes again and again finds its
// memory; one that does not come again loses it to the system step by step. A
// slab whose pages have all been given back is unmapped.
//
// Ownership: blocks belong to the depot from Put() to Take().
// Blocking: one lock; held for the blocks of a magazine at most, for looking
// through the pages of a slab, or for mapping one. Giving pages back happens
// outside of it, a few with each Put().
// Thread safety: any thread.
#ifndef TROUPE_MAILBOX_INTERNAL_ENVELOPE_DEPOT_H_
#define TROUPE_MAILBOX_INTERNAL_ENVELOPE_DEPOT_H_

#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/mailbox/internal/magazine.h"

namespace troupe::internal {

class EnvelopeDepot {
 public:
  static constexpr size_t kSlabBytes = size_t{2} << 20;
  static constexpr size_t kPageBytes = 4096;
  static constexpr size_t kHeaderPages = 5;  // Of a slab, for the depot itself.

  struct Limits {
    // Of the stock of each class.
    size_t stock_bytes = size_t{4} << 20;
    // Free pages that are kept whether they are needed or not.
    size_t warm_bytes = size_t{16} << 20;
    // Calls of Take() and Put().
    uint32_t epoch_calls = 16384;
    // Of address space.
    size_t mapped_bytes = std::numeric_limits<size_t>::max();
  };

  struct Usage {
    // Address space.
    size_t mapped_bytes;
    // Of that, pages that hold blocks or are kept warm for them: neither
    // untouched nor given back.
    size_t held_bytes;
  };

  explicit EnvelopeDepot(const Limits& limits);
  EnvelopeDepot(const EnvelopeDepot&) = delete;
  EnvelopeDepot& operator=(const EnvelopeDepot&) = delete;
  // Unmaps everything. REQUIRES: nobody uses a block.
  ~EnvelopeDepot();

  // Returns at least one block and at most `max_blocks`, of which there must
  // not be more than a full magazine's. std::bad_alloc if there is no memory.
  Magazine Take(uint8_t size_class, uint32_t max_blocks)
      ABSL_LOCKS_EXCLUDED(mu_);

  // Takes back any number of blocks up to a full magazine.
  void Put(uint8_t size_class, Magazine magazine) ABSL_LOCKS_EXCLUDED(mu_);

  // Gives back every page that is free, or would be but for the stock.
  void ReleaseUnused() ABSL_LOCKS_EXCLUDED(mu_);
  // A step of that, some 50 us of work. False: there was nothing to be done.
  bool ReleaseSome() ABSL_LOCKS_EXCLUDED(mu_);

  Usage usage() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  enum class PageState : uint8_t {
    kInUse,      // Untouched, or serves a class and has none of its blocks.
    kPartial,    // Serves a class; in `partial_` with the blocks it has.
    kFree,       // In `free_`.
    kReturning,  // Being given back.
    kReturned,   // In `returned_`.
  };
  struct Page {
    Page* next = nullptr;
    Page* previous = nullptr;
    Magazine blocks;
    PageState state = PageState::kInUse;
  };
  // Stands at the beginning of each slab.
  static constexpr size_t kPages = kSlabBytes / kPageBytes - kHeaderPages;
  struct Slab {
    Slab* next = nullptr;
    Slab* previous = nullptr;
    size_t returned = 0;  // Pages in `returned_`.
    Page pages[kPages];
  };
  static_assert(sizeof(Slab) <= kHeaderPages * kPageBytes);

  struct PageList {
    Page* first = nullptr;
    Page* last = nullptr;
    size_t count = 0;

    void PushFront(Page* page);
    void Remove(Page* page);
  };

  // A magazine in the stock; its first block tells about it.
  struct Stored : FreeBlock {
    Stored* below;
  };
  static_assert(sizeof(Stored) <= kSmallestBlock);
  struct Stock {
    Stored* top = nullptr;
    uint32_t magazines = 0;
  };

  static constexpr uint32_t BlocksInPage(uint8_t size_class) {
    return kPageBytes / BlockBytes(size_class);
  }
  static Slab* SlabOf(const void* address);
  static Page* PageOf(const void* block);
  static char* MemoryOf(Page* page);

  Magazine TakeFromStock(uint8_t size_class) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Nothing if another slab is needed.
  Magazine TakeFromPages(uint8_t size_class, uint32_t max_blocks)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // A page without a class, in no list; null if another slab is needed.
  Page* FreshPage() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Makes blocks of the page's memory and adds them to `blocks`.
  static void Cut(Page* page, uint8_t size_class, Magazine& blocks);
  // Throws std::bad_alloc.
  void MapSlab() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void Scatter(uint8_t size_class, Magazine magazine)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Gives back what huge pages may have brought where none was touched.
  void ReturnUntouched() ABSL_LOCKS_EXCLUDED(mu_);
  // Takes a slab whose touched pages have all been given back out of
  // everything.
  void Unlink(Slab* slab) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  static void Unmap(Slab* slab);
  void CountCall() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Gives back at most `max_pages` free pages of the slab that has the oldest.
  // Returns how many.
  size_t ReturnPages(size_t max_pages) ABSL_LOCKS_EXCLUDED(mu_);

  const Limits limits_;

  mutable absl::Mutex mu_;
  Stock stocks_[kSizeClasses] ABSL_GUARDED_BY(mu_);
  PageList partial_[kSizeClasses] ABSL_GUARDED_BY(mu_);
  // The page that became free last is the first.
  PageList free_ ABSL_GUARDED_BY(mu_);
  PageList returned_ ABSL_GUARDED_BY(mu_);
  Slab* slabs_ ABSL_GUARDED_BY(mu_) = nullptr;  // The newest first.
  size_t slab_count_ ABSL_GUARDED_BY(mu_) = 0;
  // Of the newest slab: the others' pages are all touched.
  size_t touched_pages_ ABSL_GUARDED_BY(mu_) = kPages;
  // Of all slabs; neither untouched nor returned.
  size_t held_pages_ ABSL_GUARDED_BY(mu_) = 0;
  uint32_t calls_ ABSL_GUARDED_BY(mu_) = 0;  // In this epoch.
  // The fewest free pages in this epoch.
  size_t fewest_free_ ABSL_GUARDED_BY(mu_) = 0;
  // Free pages to be given back, for which the last epoch had no use.
  size_t surplus_pages_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_MAILBOX_INTERNAL_ENVELOPE_DEPOT_H_
