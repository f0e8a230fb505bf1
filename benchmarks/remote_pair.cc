#include "troupe/benchmarks/remote_pair.h"

#include <limits>
#include <vector>

#include "troupe/actor/events.h"
#include "troupe/base/check.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/static_membership.h"

namespace troupe::benchmarks {

RemotePair::RemotePair(int workers) {
  for (Side* const side : {&here_, &there_}) {
    side->system =
        ActorSystem::Create(
            {.workers = workers,
             .high_water_messages = std::numeric_limits<uint32_t>::max()})
            .value();
  }
}

RemotePair::~RemotePair() {
  here_.node.reset();
  there_.node.reset();
}

void RemotePair::Join() {
  absl::Notification here_is_up;
  absl::Notification there_is_up;
  const Subscription here = here_.system->Subscribe<NodeUp>(
      [&here_is_up](const NodeUp&) { here_is_up.Notify(); });
  const Subscription there = there_.system->Subscribe<NodeUp>(
      [&there_is_up](const NodeUp&) { there_is_up.Notify(); });
  JoinSide(here_, "here");
  JoinSide(there_, "there");
  here_is_up.WaitForNotification();
  there_is_up.WaitForNotification();
}

void RemotePair::JoinSide(Side& side, absl::string_view name) {
  Executor& executor = side.system->executor();
  absl::StatusOr<std::unique_ptr<Node>> node = Node::Start(
      *side.system,
      {.name = std::string(name),
       .listen = std::string(name),
       .transport = std::make_unique<InProcessTransport>(network_, executor),
       .membership =
           StaticMembership::Create(
               executor,
               std::vector<Member>{{.name = "here", .address = "here"},
                                   {.name = "there", .address = "there"}})
               .value()});
  Check(node.status());
  side.node = *std::move(node);
}

void RemotePair::Check(const absl::Status& status) {
  TROUPE_CHECK(status.ok(), status.ToString().c_str());
}

}  // namespace troupe::benchmarks
