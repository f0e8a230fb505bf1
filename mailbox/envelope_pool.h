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
// Ownership: a block belongs to who allocated it until Free(). A thread that
// ends gives its magazines to the depot; blocks may outlive it.
// Blocking: the depot's lock; never for more than a few instructions, or the
// mapping of a new slab.
// Thread safety: any thread.
// Errors: memory that cannot be had ends in std::bad_alloc.
#ifndef TROUPE_MAILBOX_ENVELOPE_POOL_H_
#define TROUPE_MAILBOX_ENVELOPE_POOL_H_

#include <bit>
#include <cstddef>
#include <cstdint>

#include "troupe/base/sanitizer.h"

namespace troupe {

class EnvelopePool {
 public:
  static constexpr size_t kMaxAlignment = 64;  // Of every block.
  static constexpr size_t kSmallest = 64;
  static constexpr uint8_t kClasses = 7;  // 64, 128, ... 4096 bytes.
  static constexpr uint8_t kOversize = kClasses;

  // The class that holds `size_bytes`, or kOversize.
  static constexpr uint8_t ClassOf(size_t size_bytes) {
    if (size_bytes <= kSmallest) return 0;
    const int shift = std::bit_width((size_bytes - 1) / kSmallest);
    return shift < kClasses ? static_cast<uint8_t>(shift) : kOversize;
  }
  // Bytes in a block of the class; 0 for kOversize.
  static constexpr size_t SizeOf(uint8_t size_class) {
    return size_class < kClasses ? kSmallest << size_class : 0;
  }
  // Blocks in a magazine of the class: 4 KiB worth, but at least four.
  static constexpr uint32_t MagazineBlocks(uint8_t size_class) {
    const uint32_t blocks = 64u >> size_class;
    return blocks < 4 ? 4 : blocks;
  }

  // REQUIRES: size_class < kClasses.
  [[nodiscard]] static void* Allocate(uint8_t size_class) {
    Magazine& loaded = cache_[size_class].loaded;
    Block* block = loaded.top;
    if (block == nullptr) [[unlikely]]
      return AllocateSlow(size_class);
    UnpoisonMemory(block, SizeOf(size_class));
    loaded.top = block->next;
    --loaded.count;
    return block;
  }
  [[nodiscard]] static void* AllocateOversize(size_t size_bytes);

  static void Free(void* memory, uint8_t size_class) {
    if (size_class == kOversize) [[unlikely]]
      return FreeOversize(memory);
    Magazine& loaded = cache_[size_class].loaded;
    // A cache that was never used, or whose thread is ending, has limit 0.
    if (loaded.count >= cache_[size_class].limit) [[unlikely]] {
      return FreeSlow(memory, size_class);
    }
    Block* block = static_cast<Block*>(memory);
    block->next = loaded.top;
    loaded.top = block;
    ++loaded.count;
    PoisonMemory(block + 1, SizeOf(size_class) - sizeof(Block));
  }

  // Bytes of address space that the pool has mapped so far. For tests and
  // introspection.
  static size_t MappedBytes();

 private:
  friend class EnvelopePoolCacheReturner;

  struct Block {
    Block* next;
  };
  struct Magazine {
    Block* top = nullptr;
    uint32_t count = 0;
  };
  struct ClassCache {
    Magazine loaded;
    uint32_t limit = 0;
    Magazine previous;  // Empty or full.
  };
  class Depot;

  static void* AllocateSlow(uint8_t size_class);
  static void FreeSlow(void* memory, uint8_t size_class);
  static void FreeOversize(void* memory);
  static bool PrepareCache();

  static constinit thread_local ClassCache cache_[kClasses];
};

}  // namespace troupe

#endif  // TROUPE_MAILBOX_ENVELOPE_POOL_H_
