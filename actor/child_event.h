// What an actor hears of its children, through the hook
// `OnChild(const ChildEvent&)`.
//
// Order: the events of one child come in the order in which they happen;
// between children there is none. They come before messages.
#ifndef TROUPE_ACTOR_CHILD_EVENT_H_
#define TROUPE_ACTOR_CHILD_EVENT_H_

#include <cstdint>
#include <string>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/handed_state.h"

namespace troupe {

struct ChildEvent {
  enum class Kind : uint8_t {
    kStarted,  // It runs.
    kStopped,  // It has ended, because it was asked to or is done.
    kFailed,   // It has ended by a throw or a failing status.
  };
  Kind kind;
  AnyActorRef child;  // Gone already, but for kStarted.
  std::string name;   // Empty if it has none.
  ExitReason reason;  // Normal for kStarted.
  // What its TakeState() returned; empty unless it ended gracefully.
  HandedState state;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_CHILD_EVENT_H_
