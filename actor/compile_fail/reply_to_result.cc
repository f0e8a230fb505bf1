// A handler with a ReplyTo returns the answer besides.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/reply_to.h"

struct Get {
  using Reply = int;
};

class BadActor : public troupe::Actor<Get> {
 public:
  int Handle(Get, troupe::ReplyTo<int> reply) { return reply.Send(1); }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
