// The handler of a request returns something else than its reply.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Get {
  using Reply = int;
};

class BadActor : public troupe::Actor<Get> {
 public:
  long Handle(Get) { return 1; }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
