// A message without an answer is called.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};

void Bad(troupe::ActorRef<Known> actor) { (void)actor.Call<Known>(); }
