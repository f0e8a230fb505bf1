// Turns what user code throws into a Status.
//
// Example:
//
//   absl::Status status = Contain([&] { handler(message); });
//   if (!status.ok()) Fail(status);
#ifndef TROUPE_BASE_CONTAIN_H_
#define TROUPE_BASE_CONTAIN_H_

#include <exception>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace troupe::internal {

#ifdef __cpp_exceptions
// The Status for the exception that is being handled. Never inlined: its
// callers are on hot paths.
[[gnu::noinline, gnu::cold]] inline absl::Status StatusOfException() noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& exception) {
      return absl::UnknownError(absl::StrCat("exception: ", exception.what()));
    } catch (...) {
      return absl::UnknownError("exception of a type not from std::exception");
    }
  } catch (...) {
    // No memory for a text, which may well be what was thrown. Without one a
    // Status needs none.
    return absl::Status(absl::StatusCode::kResourceExhausted, "");
  }
}
#endif

// Calls `function`, which returns nothing or a Status. OK, its status, or the
// exception as one.
template <typename F>
absl::Status Contain(F&& function) noexcept {
  using Result = decltype(std::forward<F>(function)());
  static_assert(std::is_void_v<Result> || std::is_same_v<Result, absl::Status>,
                "what is contained returns nothing or absl::Status");
#ifdef __cpp_exceptions
  try {
#endif
    if constexpr (std::is_void_v<Result>) {
      std::forward<F>(function)();
      return absl::OkStatus();
    } else {
      return std::forward<F>(function)();
    }
#ifdef __cpp_exceptions
  } catch (...) {
    return StatusOfException();
  }
#endif
}

}  // namespace troupe::internal

#endif  // TROUPE_BASE_CONTAIN_H_
