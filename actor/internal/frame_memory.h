// The memory of coroutine frames: the pool that envelopes come from.
#ifndef TROUPE_ACTOR_INTERNAL_FRAME_MEMORY_H_
#define TROUPE_ACTOR_INTERNAL_FRAME_MEMORY_H_

#include <cstddef>
#include <cstdint>

#include "troupe/mailbox/envelope_pool.h"

namespace troupe::internal {

// A promise type that derives from this has its frames in the EnvelopePool, so
// that a coroutine costs no heap allocation once the pool is warm. Frames of
// more than the pool's largest class come from the heap.
//
// Compilers give both operators the frame's size as a constant: the size class
// is one, too.
//
// Thread safety: as EnvelopePool; a frame may be freed on any thread.
struct FrameMemory {
  [[nodiscard]] static void* operator new(size_t size_bytes) {
    const uint8_t size_class = EnvelopePool::ClassOf(size_bytes);
    return size_class == EnvelopePool::kOversize
               ? EnvelopePool::AllocateOversize(size_bytes)
               : EnvelopePool::Allocate(size_class);
  }
  static void operator delete(void* frame, size_t size_bytes) {
    EnvelopePool::Free(frame, EnvelopePool::ClassOf(size_bytes));
  }
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_FRAME_MEMORY_H_
