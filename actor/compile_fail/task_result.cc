// The Task of a request's handler ends with something else than its reply.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"

struct Get {
  using Reply = int;
};

class BadActor : public troupe::Actor<Get> {
 public:
  troupe::Task<void> Handle(Get) { co_return; }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
