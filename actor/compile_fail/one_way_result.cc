// The handler of a one-way message returns a number.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};

class BadActor : public troupe::Actor<Known> {
 public:
  int Handle(Known) { return 1; }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
