// Nodes that come and go, as events of the system:
//
//   Subscription subscription = system.Subscribe<NodeDown>(
//       [](const NodeDown& event) { Alert(event.node.name, event.why); });
//
// Order: NodeDown comes behind all that waited for the node has been told, and
// before the next NodeUp of a node of that name.
// Blocking: subscribers run in the turn of the session, and must be brief.
#ifndef TROUPE_CLUSTER_NODE_EVENTS_H_
#define TROUPE_CLUSTER_NODE_EVENTS_H_

#include <string>

#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/cluster/node_id.h"

namespace troupe {

// A member was dialled, and there is no session. It will be dialled again.
struct DialFailed {
  const std::string& node;
  const absl::Status& why;
};
// Somebody connected, and was no peer: another cluster, a name that is not his.
struct ConnectionRefused {
  const std::string& from;  // Where he is, for people.
  const absl::Status& why;
};

// There is a session with it.
struct NodeUp {
  const NodeId& node;
};
// There is none any more.
struct NodeDown {
  const NodeId& node;
  const absl::Status& why;
};

// An actor here had subscribed to a port there, and nothing more comes of it:
// before the NodeDown. What had come before, it gets.
struct SubscriptionLost {
  const NodeId& node;
  const AnyActorRef& subscriber;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_NODE_EVENTS_H_
