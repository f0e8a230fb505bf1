// A hook that is a coroutine ends with a number.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/task.h"

struct Known {};

class BadActor : public troupe::Actor<Known> {
 public:
  troupe::Task<int> PostStart() { co_return 1; }
  void Handle(Known) {}
};

void Bad(troupe::ActorSystem& system) { (void)system.Spawn<BadActor>(); }
