#include "troupe/mailbox/envelope_pool.h"

#include <sys/mman.h>

#include <new>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace troupe {

constinit thread_local EnvelopePool::ClassCache
    EnvelopePool::cache_[EnvelopePool::kClasses] = {};

namespace {

constexpr size_t kSlabBytes = size_t{2} << 20;

}  // namespace

// The full magazines of each class that no thread holds, and the slab from
// which new ones are cut.
class EnvelopePool::Depot {
 public:
  static Depot& Get() {
    // Never destroyed: threads may free envelopes until the process ends.
    static Depot* const depot = new Depot;
    return *depot;
  }

  Magazine TakeFull(uint8_t size_class) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    Stack& stack = stacks_[size_class];
    if (stack.top != nullptr) {
      Stored* stored = stack.top;
      UnpoisonMemory(stored, sizeof(Stored));
      stack.top = stored->below;
      const Magazine magazine{stored, stored->count};
      PoisonMemory(static_cast<Block*>(stored) + 1,
                   sizeof(Stored) - sizeof(Block));
      return magazine;
    }
    return Cut(size_class);
  }

  // Takes any number of chained blocks, full magazine or not.
  void Put(uint8_t size_class, Magazine magazine) ABSL_LOCKS_EXCLUDED(mu_) {
    if (magazine.count == 0) return;
    // The chain's first block tells the depot about the chain.
    Stored* stored = static_cast<Stored*>(magazine.top);
    UnpoisonMemory(stored, sizeof(Stored));
    stored->count = magazine.count;
    absl::MutexLock lock(&mu_);
    stored->below = stacks_[size_class].top;
    stacks_[size_class].top = stored;
  }

  size_t mapped_bytes() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return mapped_bytes_;
  }

 private:
  struct Stored : Block {
    Stored* below;
    uint32_t count;
  };
  static_assert(sizeof(Stored) <= kSmallest);
  struct Stack {
    Stored* top = nullptr;
  };

  Magazine Cut(uint8_t size_class) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    const size_t block_bytes = SizeOf(size_class);
    const uint32_t count = MagazineBlocks(size_class);
    if (static_cast<size_t>(slab_end_ - slab_) < block_bytes * count) MapSlab();
    Magazine magazine;
    // Downwards, so that the blocks come out in the order of their addresses.
    char* const begin = slab_;
    slab_ += block_bytes * count;
    for (char* block = slab_; block != begin;) {
      block -= block_bytes;
      magazine.top = ::new (block) Block{magazine.top};
      PoisonMemory(magazine.top + 1, block_bytes - sizeof(Block));
    }
    magazine.count = count;
    return magazine;
  }

  void MapSlab() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
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
    slab_ = begin + before;
    slab_end_ = slab_ + kSlabBytes;
    // From the second slab on the process is one that needs many: fewer and
    // larger pages then. A small process stays small.
    if (mapped_bytes_ > 0) madvise(slab_, kSlabBytes, MADV_HUGEPAGE);
    mapped_bytes_ += kSlabBytes;
  }

  mutable absl::Mutex mu_;
  Stack stacks_[kClasses] ABSL_GUARDED_BY(mu_);
  char* slab_ ABSL_GUARDED_BY(mu_) = nullptr;
  char* slab_end_ ABSL_GUARDED_BY(mu_) = nullptr;
  size_t mapped_bytes_ ABSL_GUARDED_BY(mu_) = 0;
};

// Lives as long as its thread: the cache itself has no destructor, so that
// reaching it costs no check.
class EnvelopePoolCacheReturner {
 public:
  // Whether the thread may still fill a cache.
  bool open = true;

  ~EnvelopePoolCacheReturner() {
    // What destructors of other thread-local objects free after this goes to
    // the depot block by block.
    open = false;
    for (uint8_t c = 0; c < EnvelopePool::kClasses; ++c) {
      EnvelopePool::ClassCache& cache = EnvelopePool::cache_[c];
      EnvelopePool::Depot::Get().Put(c, cache.loaded);
      EnvelopePool::Depot::Get().Put(c, cache.previous);
      cache = {};
    }
  }
};

namespace {

thread_local EnvelopePoolCacheReturner returner;

}  // namespace

bool EnvelopePool::PrepareCache() {
  if (!returner.open) return false;
  for (uint8_t c = 0; c < kClasses; ++c) cache_[c].limit = MagazineBlocks(c);
  return true;
}

void* EnvelopePool::AllocateSlow(uint8_t size_class) {
  ClassCache& cache = cache_[size_class];
  const bool cached = PrepareCache();
  if (cache.previous.count > 0) {
    cache.loaded = cache.previous;
    cache.previous = {};
  } else {
    cache.loaded = Depot::Get().TakeFull(size_class);
  }
  Block* const block = cache.loaded.top;
  UnpoisonMemory(block, SizeOf(size_class));
  cache.loaded.top = block->next;
  --cache.loaded.count;
  if (!cached) {
    Depot::Get().Put(size_class, cache.loaded);
    cache.loaded = {};
  }
  return block;
}

void EnvelopePool::FreeSlow(void* memory, uint8_t size_class) {
  Block* const block = static_cast<Block*>(memory);
  if (!PrepareCache()) {
    block->next = nullptr;
    PoisonMemory(block + 1, SizeOf(size_class) - sizeof(Block));
    Depot::Get().Put(size_class, {block, 1});
    return;
  }
  ClassCache& cache = cache_[size_class];
  if (cache.loaded.count >= cache.limit) {
    Depot::Get().Put(size_class, cache.previous);
    cache.previous = cache.loaded;
    cache.loaded = {};
  }
  Free(memory, size_class);
}

void* EnvelopePool::AllocateOversize(size_t size_bytes) {
  return ::operator new (size_bytes, std::align_val_t{kMaxAlignment});
}

void EnvelopePool::FreeOversize(void* memory) {
  ::operator delete (memory, std::align_val_t{kMaxAlignment});
}

size_t EnvelopePool::MappedBytes() { return Depot::Get().mapped_bytes(); }

}  // namespace troupe
