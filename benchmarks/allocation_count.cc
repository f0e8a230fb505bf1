#include "troupe/benchmarks/allocation_count.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

#include "troupe/benchmarks/sanitized.h"

#ifdef TROUPE_SANITIZED
// From <sanitizer/allocator_interface.h>, which g++ does not bring.
extern "C" int __sanitizer_install_malloc_and_free_hooks(
    void (*malloc_hook)(const volatile void*, size_t),
    void (*free_hook)(const volatile void*));
#endif

namespace troupe::benchmarks {
namespace {

// Relaxed: who wants the allocations of other threads synchronizes with them.
constinit std::atomic<uint64_t> allocations{0};

void CountAllocation() { allocations.fetch_add(1, std::memory_order_relaxed); }

}  // namespace

uint64_t AllocationCount() {
  return allocations.load(std::memory_order_relaxed);
}

#ifdef TROUPE_SANITIZED

// The sanitizer has taken malloc's place already, and tells us.
[[maybe_unused]] const int kInstalled =
    __sanitizer_install_malloc_and_free_hooks(
        [](const volatile void*, size_t) { CountAllocation(); },
        [](const volatile void*) {});

#endif

}  // namespace troupe::benchmarks

#ifndef TROUPE_SANITIZED

// These stand before those of glibc, also for libraries that are loaded. What
// they return is glibc's: its own free() takes it.
extern "C" {

void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

void* malloc(size_t size) noexcept {
  troupe::benchmarks::CountAllocation();
  return __libc_malloc(size);
}

void* calloc(size_t count, size_t size) noexcept {
  troupe::benchmarks::CountAllocation();
  return __libc_calloc(count, size);
}

void* realloc(void* memory, size_t size) noexcept {
  troupe::benchmarks::CountAllocation();
  return __libc_realloc(memory, size);
}

void* memalign(size_t alignment, size_t size) noexcept {
  troupe::benchmarks::CountAllocation();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** memory, size_t alignment, size_t size) noexcept {
  void* const made = memalign(alignment, size);
  if (made == nullptr) return ENOMEM;
  *memory = made;
  return 0;
}

}  // extern "C"

#endif
