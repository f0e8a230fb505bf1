// Where an actor stands between its spawn and its end. Only moves forward.
#ifndef TROUPE_ACTOR_ACTOR_STATUS_H_
#define TROUPE_ACTOR_ACTOR_STATUS_H_

#include <cstdint>
#include <ostream>

#include "absl/strings/string_view.h"

namespace troupe {

enum class ActorStatus : uint8_t {
  kStarting,  // From the spawn to the end of PostStart.
  kRunning,
  kDraining,  // Takes no more messages, handles those it has.
  kStopping,  // Ends: PostStop, then its children.
  kStopped,   // Has ended.
};

absl::string_view ActorStatusName(ActorStatus status);

inline std::ostream& operator<<(std::ostream& os, ActorStatus status) {
  return os << ActorStatusName(status);
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_ACTOR_STATUS_H_
