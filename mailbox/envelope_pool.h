// Where envelopes live: size classes of whole cache lines, a cache for each
// thread, and one depot for the process in between.
//
// A thread allocates from and frees to two magazines of its own (a chain of a
// fixed number of blocks each), last in first out, with no atomic operation.
// Only full and empty magazines pass through the depot, under an absl::Mutex:
// so a block that is freed on another thread than the one that allocated it
// costs a share of one lock in a magazine's size. J. Bonwick and J. Adams,
// "Magazines and Vmem", USENIX 2001.
//
// Memory that was of no use for a long time (of allocations, not of seconds)
// goes back to the system: mailbox/internal/envelope_depot.h.
//
// Ownership: a block belongs to who allocated it until Free(). A thread that
// ends gives its magazines to the depot; blocks may outlive it.
// Blocking: the depot's lock; never for more than the blocks of a magazine, or
// the mapping of a new slab.
// Thread safety: any thread, also while its thread-local objects are destroyed.
// Errors: memory that cannot be had ends in std::bad_alloc.
// Sanitizers: a free block is poisoned. LeakSanitizer does not look into the
// pool's memory: it reports what a forgotten envelope holds on the heap.
#ifndef TROUPE_MAILBOX_ENVELOPE_POOL_H_
#define TROUPE_MAILBOX_ENVELOPE_POOL_H_

#include <cstddef>
#include <cstdint>

#include "troupe/base/sanitizer.h"
#include "troupe/mailbox/internal/magazine.h"

namespace troupe {

class EnvelopePool {
 public:
  static constexpr size_t kMaxAlignment = 64;  // Of every block.
  static constexpr size_t kSmallest = internal::kSmallestBlock;
  static constexpr uint8_t kClasses = internal::kSizeClasses;
  static constexpr uint8_t kOversize = internal::kOversizeClass;

  // The class that holds `size_bytes`, or kOversize.
  static constexpr uint8_t ClassOf(size_t size_bytes) {
    return internal::SizeClassOf(size_bytes);
  }
  // Bytes in a block of the class; 0 for kOversize.
  static constexpr size_t SizeOf(uint8_t size_class) {
    return internal::BlockBytes(size_class);
  }

  // REQUIRES: size_class < kClasses.
  [[nodiscard]] static void* Allocate(uint8_t size_class) {
    Cache& cache = cache_[size_class];
    internal::FreeBlock* const block = cache.top;
    if (block == nullptr) [[unlikely]] {
      return AllocateSlow(size_class);
    }
    UnpoisonMemory(block, SizeOf(size_class));
    cache.top = block->next;
    ++cache.room;
    return block;
  }
  [[nodiscard]] static void* AllocateOversize(size_t size_bytes);

  static void Free(void* memory, uint8_t size_class) {
    if (size_class == kOversize) [[unlikely]] {
      return FreeOversize(memory);
    }
    Cache& cache = cache_[size_class];
    // Counted down and tested in one instruction.
    if (--cache.room < 0) [[unlikely]] {
      return FreeSlow(memory, size_class);
    }
    auto* const block = static_cast<internal::FreeBlock*>(memory);
    block->next = cache.top;
    cache.top = block;
    PoisonMemory(block + 1, SizeOf(size_class) - sizeof(*block));
  }

  // Gives the memory that nobody uses back to the system, but for what other
  // threads keep in their caches (at most 96 KiB each). For a process that
  // falls idle: costs a few nanoseconds for each free block, and new page
  // faults later.
  static void ReleaseUnused();
  // A step of that, some 50 us of work, for a thread that may be wanted any
  // time. False: there was nothing to be done.
  static bool ReleaseSomeUnused();
  // Gives what this thread keeps in its cache to the depot.
  static void EmptyThreadCache();
  // Whether this thread's cache keeps nothing, from now on: each block comes
  // from the depot, and goes back to it. For tests; see base/allocation_gate.h.
  static void KeepNothing(bool nothing);

  // Bytes of address space that the pool has mapped, oversize blocks aside. For
  // tests and introspection, as the next one.
  static size_t MappedBytes();
  // Of these, bytes in pages that hold blocks or are kept for them.
  static size_t HeldBytes();

 private:
  // What a thread keeps of one class. All zero: an unused one, one whose thread
  // is ending, or one that keeps nothing; both fast paths then end in the slow
  // ones.
  struct Cache {
    internal::FreeBlock* top = nullptr;  // The loaded magazine.
    int32_t room = 0;                    // Blocks that it could still take.
    internal::Magazine previous;         // Empty or full.
  };
  struct CacheCloser;

  static void* AllocateSlow(uint8_t size_class);
  // Where there was no room; it has been counted nevertheless.
  static void FreeSlow(void* memory, uint8_t size_class);
  static void FreeOversize(void* memory);
  static bool OpenCache();
  static void EmptyCache();

  static constinit thread_local Cache cache_[kClasses];
};

}  // namespace troupe

#endif  // TROUPE_MAILBOX_ENVELOPE_POOL_H_
