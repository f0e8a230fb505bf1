// What a supervisor does about its children as a whole, named as OTP names it:
// whom it restarts when one fails, how often, and when it ends by itself.
//
//   Supervisor::Spec spec{.strategy = kRestForOne,
//                         .intensity = {.restarts = 3,
//                                       .within = absl::Minutes(1)}};
//
// Thread safety: values.
#ifndef TROUPE_SUPERVISION_STRATEGY_H_
#define TROUPE_SUPERVISION_STRATEGY_H_

#include <cstdint>
#include <ostream>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

// Whom the failure of one child concerns. "All" and "rest" are stopped in
// reverse order and then started in order, those as well that were not running:
// terminated by hand, or done. Temporary children among them are only stopped.
enum class Strategy : uint8_t {
  kOneForOne,   // That child alone.
  kOneForAll,   // All children.
  kRestForOne,  // That child, and those that come after it.
  kDynamic,     // That child alone; for many children of one kind, which come
                // and go: they have no order and are stopped all at once.
};
using enum Strategy;

// When a supervisor ends because its significant children have ended of their
// own accord. What it stops itself does not count.
enum class AutoShutdown : uint8_t {
  kNever,
  kAnySignificant,  // When one of them has ended.
  kAllSignificant,  // When none of them is left.
};
using enum AutoShutdown;

// How many restarts a supervisor makes before it gives up and fails itself: one
// more than `restarts` in any time of length `within`, both ends included, is
// too many. Starts that fail count; the siblings of a child that failed do not.
struct Intensity {
  int restarts = 1;
  absl::Duration within = absl::Seconds(5);

  friend bool operator==(const Intensity&, const Intensity&) = default;
};

// kInvalidArgument, naming field and value: `restarts` is negative, or `within`
// is not positive.
absl::Status Validate(const Intensity& intensity);

// Such as "rest_for_one", "any_significant".
absl::string_view ToString(Strategy strategy);
absl::string_view ToString(AutoShutdown auto_shutdown);

inline std::ostream& operator<<(std::ostream& os, Strategy strategy) {
  return os << ToString(strategy);
}
inline std::ostream& operator<<(std::ostream& os, AutoShutdown auto_shutdown) {
  return os << ToString(auto_shutdown);
}

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_STRATEGY_H_
