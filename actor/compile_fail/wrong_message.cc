// A message that is in no protocol of the reference.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Known {};
struct Unknown {};

void Bad(troupe::ActorRef<Known> ref) { ref.Send<Unknown>(); }
