// Where a child of a supervisor stands.
//
//   if (child.status == ChildStatus::kRunning) ++active;
#ifndef TROUPE_SUPERVISION_CHILD_STATUS_H_
#define TROUPE_SUPERVISION_CHILD_STATUS_H_

#include <cstdint>
#include <ostream>

#include "absl/strings/string_view.h"

namespace troupe {

enum class ChildStatus : uint8_t {
  kIdle,      // No instance, and none is wanted: done, or terminated by hand.
  kWaiting,   // No instance; one will be started: in its turn, after its delay.
  kStarting,  // An instance is being started.
  kRunning,   // An instance runs.
  kStopping,  // Its instance was asked to end, or is being killed.
};

// Such as "running".
absl::string_view ToString(ChildStatus status);

inline std::ostream& operator<<(std::ostream& os, ChildStatus status) {
  return os << ToString(status);
}

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_CHILD_STATUS_H_
