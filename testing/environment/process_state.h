// What the kernel knows of this process: for tests that look whether something
// was left behind, and for programs that report what they use.
//
// Thread safety: any thread.
// Errors: aborts where /proc cannot be read, as without file descriptors.
#ifndef TROUPE_TESTING_ENVIRONMENT_PROCESS_STATE_H_
#define TROUPE_TESTING_ENVIRONMENT_PROCESS_STATE_H_

#include <cstdint>

namespace troupe::testing {

// Whether a sanitizer manages the memory of this process. It may also open
// files whenever it has something to look up.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif
#else
inline constexpr bool kSanitized = false;
#endif

struct ProcessState {
  int threads = 0;
  int open_files = 0;
  int64_t address_space_bytes = 0;
  int64_t resident_bytes = 0;
};

ProcessState ReadProcessState();

// Waits until the process has `threads` threads; the kernel lists one for some
// time after it was joined. False: it has others for 10 s.
[[nodiscard]] bool AwaitThreads(int threads);

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_ENVIRONMENT_PROCESS_STATE_H_
