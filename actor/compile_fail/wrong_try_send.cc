// The same, by TrySend().
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};
struct Unknown {};

troupe::SendResult Bad(troupe::ActorRef<Known> ref) {
  return ref.TrySend(Unknown{});
}
