// A node of the cluster: a process, from its start to its end. The name is
// given to it, and is one node's at a time; the incarnation tells one start
// from the next, and never returns.
//
// Order: of the same name, a later incarnation is greater.
// Thread safety: values.
#ifndef TROUPE_CLUSTER_NODE_ID_H_
#define TROUPE_CLUSTER_NODE_ID_H_

#include <compare>
#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

struct NodeId {
  std::string name;
  uint64_t incarnation = 0;

  // "b"; for logs, which of them is rarely of interest.
  std::string ToString() const { return name; }

  friend auto operator<=>(const NodeId&, const NodeId&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const NodeId& node) {
    return H::combine(std::move(state), node.name, node.incarnation);
  }
  friend std::ostream& operator<<(std::ostream& os, const NodeId& node) {
    return os << node.name << "/" << node.incarnation;
  }
};

// kInvalidArgument: no node can be called so. A name has 1 to 255 characters:
// letters, digits, '-', '_', '.' and ':'.
absl::Status CheckNodeName(absl::string_view name);

}  // namespace troupe

#endif  // TROUPE_CLUSTER_NODE_ID_H_
