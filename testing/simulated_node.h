// Nodes in a simulated cluster: StartNode() in the boot function of a host.
//
//   cluster.Add("a", [](testing::SimulatedHost& host) {
//     Node& node = testing::StartNode(host, {"a", "b", "c"});
//     node.Export("worker", host.system().Spawn<Worker>().value());
//   });
//
// Its name is the host's. Each start of the host is another incarnation.
#ifndef TROUPE_TESTING_SIMULATED_NODE_H_
#define TROUPE_TESTING_SIMULATED_NODE_H_

#include <string>
#include <vector>

#include "troupe/cluster/node.h"
#include "troupe/testing/simulated_cluster.h"

namespace troupe::testing {

// Starts a node on the host, which keeps it. The members are all hosts that
// have nodes. Of the options, those that say who it is and whom it knows are
// set here.
Node& StartNode(SimulatedHost& host, const std::vector<std::string>& members,
                NodeOptions options = {});

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SIMULATED_NODE_H_
