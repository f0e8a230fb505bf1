// An actor whose destructor may throw.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};

class BadActor : public troupe::Actor<Known> {
 public:
  ~BadActor() noexcept(false) {}
  void Handle(Known) {}
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
