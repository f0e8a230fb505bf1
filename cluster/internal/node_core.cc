#include "troupe/cluster/internal/node_core.h"

#include "absl/status/status.h"

namespace troupe::internal {

absl::StatusOr<FarCell*> NodeCore::CellOf(const NodeId& node) {
  absl::MutexLock lock(&mu_);
  if (const auto known = cells_.find(node); known != cells_.end()) {
    return known->second;
  }
  absl::StatusOr<FarCell*> made = FarCell::Make(system_.core(), node.name);
  if (made.ok()) {
    cells_.emplace(node, *made);
    nodes_.emplace(*made, node);
  }
  return made;
}

const NodeId* NodeCore::NodeOf(const FarCell& cell) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto known = nodes_.find(&cell);
  return known != nodes_.end() ? &known->second : nullptr;
}

}  // namespace troupe::internal
