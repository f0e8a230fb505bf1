// A pointer for a bool of the message.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Switch {
  bool on;
};

void Bad(troupe::ActorRef<Switch> ref) { ref.Send<Switch>("off"); }
