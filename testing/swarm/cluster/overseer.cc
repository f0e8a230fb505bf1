#include "troupe/testing/swarm/cluster/overseer.h"

#include "troupe/actor/actor_status.h"
#include "troupe/cluster/remote_child.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/supervisor.h"
#include "troupe/testing/swarm/cluster/messages.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/starts.h"

namespace troupe::cluster_swarm {

void Overseer::Handle(LookAgain) {
  SendAfter<LookAgain>(kPause);
  // When the node leaves, that is the end of it, too.
  if (home_.node == nullptr || supervisor_.status() != ActorStatus::kStopped) {
    return;
  }
  Supervisor::Spec spec;
  spec.intensity = {.restarts = 1'000'000};
  (void)spec.Add({.id = "child",
                  .backoff = RestartBackoff{.initial = absl::Milliseconds(25),
                                            .max = kPause}},
                 ChildOn<ResidentApi>(*home_.node,
                                      {.where = where_,
                                       .factory = std::string(Rules::kFactory),
                                       .within = Starts::kWithin},
                                      start_, where_));
  const auto started = SpawnInstant<Supervisor>(std::move(spec));
  if (started.ok()) supervisor_ = *started;
}

}  // namespace troupe::cluster_swarm
