// What is sent as the answer is none.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/reply_to.h"

struct Get {
  using Reply = int;
};

class BadActor : public troupe::Actor<Get> {
 public:
  void Handle(Get, troupe::ReplyTo<int> reply) { reply.Send("one"); }
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
