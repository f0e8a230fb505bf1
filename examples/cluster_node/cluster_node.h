// What the programs of a cluster have in common: a node, as flags say.
//
//   chat --name=ann --members=ann=10.0.0.1:4000,bob=10.0.0.2:4000 --tls=keys
//
// --members is the same for all of them. --tls is a folder with the files that
// //tools/certificates makes, --cookie a file with the secret of the cluster.
#ifndef TROUPE_EXAMPLES_CLUSTER_NODE_CLUSTER_NODE_H_
#define TROUPE_EXAMPLES_CLUSTER_NODE_CLUSTER_NODE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/flags/declare.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/node.h"

ABSL_DECLARE_FLAG(std::string, name);
ABSL_DECLARE_FLAG(std::vector<std::string>, members);

namespace troupe {

// Makes `system` the node that the flags name. `options` says the rest: all but
// name, address, transport, membership and cookie.
//
// kInvalidArgument: a flag makes no sense. Errors of GrpcTransport::Create()
// and Node::Start().
absl::StatusOr<std::unique_ptr<Node>> StartNodeByFlags(ActorSystem& system,
                                                       NodeOptions options);

// Prints a line, as a whole, by whichever thread.
void PrintLine(absl::string_view line);

}  // namespace troupe

#endif  // TROUPE_EXAMPLES_CLUSTER_NODE_CLUSTER_NODE_H_
