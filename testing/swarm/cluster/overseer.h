// Has a supervisor on its node with a child on another one, as long as it
// lives: a supervisor whose first start fails is none.
#ifndef TROUPE_TESTING_SWARM_CLUSTER_OVERSEER_H_
#define TROUPE_TESTING_SWARM_CLUSTER_OVERSEER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/testing/swarm/cluster/world.h"

namespace troupe::cluster_swarm {

struct LookAgain {};

class Overseer final : public Actor<LookAgain> {
 public:
  // How long nothing of it may be seen, while all is well.
  static constexpr absl::Duration kPause = absl::Milliseconds(200);

  // `start`: of a child on the node `where`, in Starts.
  Overseer(Home* home, std::string where, uint32_t start)
      : home_(*home), where_(std::move(where)), start_(start) {}

  void PostStart() { SendAfter<LookAgain>(kPause); }
  void Handle(LookAgain);
  void OnChild(const ChildEvent&) {}  // It is started again.

 private:
  Home& home_;
  const std::string where_;
  const uint32_t start_;
  AnyActorRef supervisor_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_OVERSEER_H_
