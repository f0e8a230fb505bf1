// A handler that would get the message by a conversion.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Sent {};
struct Made {
  Made(const Sent&) {}
};

class BadActor : public troupe::Actor<Sent> {
 public:
  void Handle(Made) {}
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
