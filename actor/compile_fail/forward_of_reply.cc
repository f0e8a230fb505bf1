// What is forwarded knows nothing of failures.
#include "troupe/actor/actor_ref.h"

struct Get {
  using Reply = int;
};
struct Got {
  int number;
};

void Bad(troupe::ActorRef<Get> from, troupe::ActorRef<Got> to) {
  from.Call<Get>().Forward<Got>(to);
}
