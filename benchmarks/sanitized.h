// Defines TROUPE_SANITIZED in builds with the address or the thread sanitizer,
// and TROUPE_THREAD_SANITIZED with the latter. Those bring a malloc of their
// own, and keep memory beside all that is used.
#ifndef TROUPE_BENCHMARKS_SANITIZED_H_
#define TROUPE_BENCHMARKS_SANITIZED_H_

#if defined(__SANITIZE_THREAD__)
#define TROUPE_THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TROUPE_THREAD_SANITIZED 1
#endif
#endif

#if defined(TROUPE_THREAD_SANITIZED) || defined(__SANITIZE_ADDRESS__)
#define TROUPE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TROUPE_SANITIZED 1
#endif
#endif

#endif  // TROUPE_BENCHMARKS_SANITIZED_H_
