#include "troupe/actor/actor_status.h"

namespace troupe {

absl::string_view ActorStatusName(ActorStatus status) {
  switch (status) {
    case ActorStatus::kStarting:
      return "starting";
    case ActorStatus::kRunning:
      return "running";
    case ActorStatus::kDraining:
      return "draining";
    case ActorStatus::kStopping:
      return "stopping";
    case ActorStatus::kStopped:
      return "stopped";
  }
  return "unknown";
}

}  // namespace troupe
