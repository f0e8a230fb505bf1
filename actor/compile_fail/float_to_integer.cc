// A floating-point number for an integer of the message.
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

struct Deposit {
  int cents;
};

void Bad(troupe::ActorRef<Deposit> ref, double amount) {
  ref.Send<Deposit>(amount);
}
