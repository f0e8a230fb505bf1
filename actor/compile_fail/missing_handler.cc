// A message of the protocol without a handler.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};
struct Forgotten {};

class BadActor : public troupe::Actor<Known, Forgotten> {
 public:
  void Handle(Known) {}
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
