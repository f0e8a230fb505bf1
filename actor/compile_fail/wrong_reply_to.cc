// The ReplyTo of a handler is for another type than the request's reply.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/reply_to.h"

struct Get {
  using Reply = int;
};

class BadActor : public troupe::Actor<Get> {
 public:
  void Handle(Get, troupe::ReplyTo<long> reply) { reply.Send(1); }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
