// Checks of invariants that end the process when they do not hold.
//
// For errors of the program itself only: what a caller, the network or the
// environment can cause is a Status.
//
// Example:
//
//   TROUPE_CHECK(head_ != nullptr, "Pop() needs an element");
//   TROUPE_DCHECK(tick >= now_, absl::StrCat("time ran back to ", tick));
#ifndef TROUPE_BASE_CHECK_H_
#define TROUPE_BASE_CHECK_H_

#include "absl/base/attributes.h"
#include "absl/base/optimization.h"
#include "absl/strings/string_view.h"

// Writes file, line, `condition` and `message` to stderr and aborts unless
// `condition` holds. `message` names the invariant; it is converted to
// absl::string_view and evaluated only on failure. One branch when all is well.
// A condition with a comma outside of parentheses needs parentheses.
#define TROUPE_CHECK(condition, message)                                 \
  (ABSL_PREDICT_TRUE(condition)                                          \
       ? static_cast<void>(0)                                            \
       : ::troupe::internal::CheckFailed(__FILE__, __LINE__, #condition, \
                                         message))

// TROUPE_CHECK in builds without NDEBUG. With NDEBUG neither argument is
// evaluated, but both must compile.
#ifdef NDEBUG
#define TROUPE_DCHECK(condition, message) \
  (true ? static_cast<void>(0) : TROUPE_CHECK(condition, message))
#else
#define TROUPE_DCHECK(condition, message) TROUPE_CHECK(condition, message)
#endif

namespace troupe::internal {

[[noreturn]] ABSL_ATTRIBUTE_NOINLINE ABSL_ATTRIBUTE_COLD void CheckFailed(
    const char* file, int line, const char* condition,
    absl::string_view message);

}  // namespace troupe::internal

#endif  // TROUPE_BASE_CHECK_H_
