// What another node is doing, for people and their tools.
//
//   absl::StatusOr<NodeReport> report = co_await ReportOf(node, "b");
//
// Blocking: ReportOfAndWait() waits; it is not called in a turn.
// Thread safety: any thread.
// Errors: those of a call. kPermissionDenied: the rules of that node, which
// refuse it unless one allows Verb::kIntrospect. kUnavailable: there is no
// session with it.
#ifndef TROUPE_CLUSTER_NODE_REPORT_H_
#define TROUPE_CLUSTER_NODE_REPORT_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/task.h"

namespace troupe {

class Node;

struct NodeReport {
  std::string name;
  uint64_t incarnation = 0;
  std::vector<std::string> peers;  // With which it has a session, in order.
  std::vector<std::string> names;  // Of actors that it exports, in order.
  uint64_t actors = 0;             // That live there, its own parts included.
  uint64_t exposed = 0;            // Those that others may address.
  uint64_t dead_letters = 0;       // Since its system began.

  // Such as "b: 12 actors, 3 of them exposed, 0 dead letters; peers: a, c;
  // names: counter".
  std::string ToString() const;
  friend std::ostream& operator<<(std::ostream& os, const NodeReport& report) {
    return os << report.ToString();
  }
};

// Of the node of that name, which may be the own one, in a handler.
Task<absl::StatusOr<NodeReport>> ReportOf(Node& node, std::string name);
// The same on a plain thread.
absl::StatusOr<NodeReport> ReportOfAndWait(
    Node& node, const std::string& name,
    absl::Duration timeout = absl::Seconds(5));

}  // namespace troupe

#endif  // TROUPE_CLUSTER_NODE_REPORT_H_
