// One of several actors does not take the message.
#include <vector>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/call_all.h"

struct Get {
  using Reply = int;
};
struct Put {};

void Bad(const std::vector<troupe::ActorRef<Put>>& refs) {
  (void)troupe::CallAll<Get>(refs);
}
