// What happens to the names of a system.
#ifndef TROUPE_REGISTRY_NAME_EVENT_H_
#define TROUPE_REGISTRY_NAME_EVENT_H_

#include <cstdint>
#include <string>

#include "troupe/actor/any_actor_ref.h"

namespace troupe {

struct NameEvent {
  enum class Kind : uint8_t {
    kAppeared,  // It leads to an actor now, and led nowhere before.
    kMoved,     // It leads to another actor, without a gap.
    kGone,      // It leads nowhere.
  };
  Kind kind;
  std::string name;
  AnyActorRef actor;   // To whom it leads; of kGone, led.
  AnyActorRef former;  // To whom a name that moved led before.

  friend bool operator==(const NameEvent&, const NameEvent&) = default;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_NAME_EVENT_H_
