// Two handlers for the same request, with and without a Request&.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/request.h"

struct Get {
  using Reply = int;
};

class BadActor : public troupe::Actor<Get> {
 public:
  int Handle(Get) { return 1; }
  int Handle(Get, troupe::Request&) { return 2; }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
