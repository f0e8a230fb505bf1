// A call is to be repeated whose message cannot be copied.
#include <memory>
#include <utility>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/retry.h"

struct Give {
  std::unique_ptr<int> what;
  using Reply = int;
};

void Bad(troupe::ActorRef<Give> ref) {
  (void)ref.Call<Give>(std::make_unique<int>(1)).Retry({.attempts = 2});
}
