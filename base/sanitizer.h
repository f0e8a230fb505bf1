// Tells AddressSanitizer which memory of a pool nobody may touch, and
// ThreadSanitizer of order that it cannot see.
#ifndef TROUPE_BASE_SANITIZER_H_
#define TROUPE_BASE_SANITIZER_H_

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define TROUPE_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TROUPE_ADDRESS_SANITIZER 1
#endif
#endif

#if defined(__SANITIZE_THREAD__)
#define TROUPE_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TROUPE_THREAD_SANITIZER 1
#endif
#endif

#ifdef TROUPE_ADDRESS_SANITIZER
#include <sanitizer/asan_interface.h>
#endif
#ifdef TROUPE_THREAD_SANITIZER
#include <sanitizer/tsan_interface.h>
#endif

namespace troupe {

// Any access to the region is reported until UnpoisonMemory(). No effect in
// builds without AddressSanitizer.
inline void PoisonMemory([[maybe_unused]] void* begin,
                         [[maybe_unused]] size_t size_bytes) {
#ifdef TROUPE_ADDRESS_SANITIZER
  __asan_poison_memory_region(begin, size_bytes);
#endif
}

inline void UnpoisonMemory([[maybe_unused]] void* begin,
                           [[maybe_unused]] size_t size_bytes) {
#ifdef TROUPE_ADDRESS_SANITIZER
  __asan_unpoison_memory_region(begin, size_bytes);
#endif
}

// What was done before HandOver() of an object is ordered before what is done
// behind TakeOver() of it: a library that is not instrumented, between the two,
// sees to that. No effect in builds without ThreadSanitizer.
inline void HandOver([[maybe_unused]] void* object) {
#ifdef TROUPE_THREAD_SANITIZER
  __tsan_release(object);
#endif
}

inline void TakeOver([[maybe_unused]] void* object) {
#ifdef TROUPE_THREAD_SANITIZER
  __tsan_acquire(object);
#endif
}

}  // namespace troupe

#endif  // TROUPE_BASE_SANITIZER_H_
