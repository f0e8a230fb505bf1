// A reference to some messages for one to more.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};
struct Unknown {};

troupe::ActorRef<Known, Unknown> Bad(troupe::ActorRef<Known> ref) {
  return ref;
}
