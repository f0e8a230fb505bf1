#include "troupe/supervision/child_status.h"

#include "absl/strings/string_view.h"

namespace troupe {

absl::string_view ToString(ChildStatus status) {
  switch (status) {
    case ChildStatus::kIdle:
      return "idle";
    case ChildStatus::kWaiting:
      return "waiting";
    case ChildStatus::kStarting:
      return "starting";
    case ChildStatus::kRunning:
      return "running";
    case ChildStatus::kStopping:
      return "stopping";
  }
  return "no status";
}

}  // namespace troupe
