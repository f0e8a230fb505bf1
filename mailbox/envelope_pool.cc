#include "troupe/mailbox/envelope_pool.h"

#include <cstddef>
#include <cstdint>
#include <new>

#include "troupe/base/allocation_gate.h"
#include "troupe/mailbox/internal/envelope_depot.h"
#include "troupe/mailbox/internal/magazine.h"

namespace troupe {

using internal::FreeBlock;
using internal::Magazine;
using internal::MagazineBlocks;

constinit thread_local EnvelopePool::Cache
    EnvelopePool::cache_[EnvelopePool::kClasses] = {};

namespace {

enum class CacheState : uint8_t {
  kUnused,
  kOpen,
  kIdle,    // Keeps nothing: see KeepNothing().
  kClosed,  // The thread is ending: what it frees goes to the depot at once.
};

// As many blocks as fit into an empty magazine.
constexpr int32_t RoomOf(uint8_t size_class) {
  return static_cast<int32_t>(MagazineBlocks(size_class));
}

// Without a destructor, as the cache itself: both are valid while other
// thread-local objects are destroyed, in whatever order.
constinit thread_local CacheState cache_state = CacheState::kUnused;

internal::EnvelopeDepot& Depot() {
  // Never destroyed: threads may free envelopes until the process ends.
  static internal::EnvelopeDepot* const depot =
      new internal::EnvelopeDepot(internal::EnvelopeDepot::Limits());
  return *depot;
}

}  // namespace

// Gives back what a thread's cache holds when the thread ends.
struct EnvelopePool::CacheCloser {
  CacheCloser() { cache_state = CacheState::kOpen; }
  ~CacheCloser() {
    cache_state = CacheState::kClosed;
    EmptyCache();
    for (Cache& cache : cache_) cache.room = 0;
  }
};

bool EnvelopePool::OpenCache() {
  if (cache_state != CacheState::kUnused) {
    return cache_state == CacheState::kOpen;
  }
  static thread_local CacheCloser closer;
  for (uint8_t c = 0; c < kClasses; ++c) cache_[c].room = RoomOf(c);
  return true;
}

void EnvelopePool::EmptyCache() {
  for (uint8_t c = 0; c < kClasses; ++c) {
    Cache& cache = cache_[c];
    if (cache.top != nullptr) {
      Depot().Put(c,
                  {cache.top, static_cast<uint32_t>(RoomOf(c) - cache.room)});
    }
    Depot().Put(c, cache.previous);
    cache = {nullptr, RoomOf(c), {}};
  }
}

void EnvelopePool::KeepNothing(bool nothing) {
  (void)OpenCache();
  if (cache_state == CacheState::kClosed) return;
  EmptyCache();
  cache_state = nothing ? CacheState::kIdle : CacheState::kOpen;
  if (!nothing) return;
  for (Cache& cache : cache_) cache.room = 0;
}

void* EnvelopePool::AllocateSlow(uint8_t size_class) {
  internal::PassAllocationGate();
  Cache& cache = cache_[size_class];
  Magazine magazine;
  if (!OpenCache()) {
    magazine = Depot().Take(size_class, 1);
  } else if (cache.previous.count > 0) {
    magazine = cache.previous;
    cache.previous = {};
  } else {
    magazine = Depot().Take(size_class, MagazineBlocks(size_class));
  }
  FreeBlock* const block = magazine.top;
  UnpoisonMemory(block, SizeOf(size_class));
  cache.top = block->next;
  if (cache_state == CacheState::kOpen) {
    cache.room = RoomOf(size_class) - static_cast<int32_t>(magazine.count - 1);
  }
  return block;
}

void EnvelopePool::FreeSlow(void* memory, uint8_t size_class) {
  Cache& cache = cache_[size_class];
  cache.room = 0;
  auto* const block = static_cast<FreeBlock*>(memory);
  if (!OpenCache()) {
    block->next = nullptr;
    PoisonMemory(block + 1, SizeOf(size_class) - sizeof(FreeBlock));
    Depot().Put(size_class, {block, 1});
    return;
  }
  if (cache.room == 0) {
    Depot().Put(size_class, cache.previous);
    cache.previous = {cache.top, MagazineBlocks(size_class)};
    cache.top = nullptr;
    cache.room = RoomOf(size_class);
  }
  Free(memory, size_class);
}

void* EnvelopePool::AllocateOversize(size_t size_bytes) {
  internal::PassAllocationGate();
  return ::operator new (size_bytes, std::align_val_t{kMaxAlignment});
}

void EnvelopePool::FreeOversize(void* memory) {
  ::operator delete (memory, std::align_val_t{kMaxAlignment});
}

void EnvelopePool::EmptyThreadCache() {
  if (cache_state == CacheState::kOpen) EmptyCache();
}

void EnvelopePool::ReleaseUnused() {
  EmptyThreadCache();
  Depot().ReleaseUnused();
}

bool EnvelopePool::ReleaseSomeUnused() {
  EmptyThreadCache();
  return Depot().ReleaseSome();
}

size_t EnvelopePool::MappedBytes() { return Depot().usage().mapped_bytes; }

size_t EnvelopePool::HeldBytes() { return Depot().usage().held_bytes; }

}  // namespace troupe
