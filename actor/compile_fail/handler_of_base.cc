// A handler that would get the message as its base class.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Base {};
struct Derived : Base {};

class BadActor : public troupe::Actor<Derived> {
 public:
  void Handle(const Base&) {}
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
