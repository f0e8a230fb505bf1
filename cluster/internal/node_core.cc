#include "troupe/cluster/internal/node_core.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/cluster/internal/directory.h"

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

absl::StatusOr<AnyActorRef> NodeCore::ReceptionistFor(
    absl::string_view path, absl::string_view& name) const {
  const size_t at = path.rfind('@');
  if (at == absl::string_view::npos || at == 0 || at + 1 == path.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", path, "' names nothing of a node; say name@node"));
  }
  name = path.substr(0, at);
  const absl::string_view node = path.substr(at + 1);
  if (node == self_.name) return receptionist_;
  const AnyActorRef found = directory_->ReceptionistOf(node);
  if (!found.IsNull()) return found;
  return absl::UnavailableError(
      absl::StrCat("'", self_.name, "' has no session with '", node, "'"));
}

std::vector<NodeId> NodeCore::Peers() const { return directory_->Peers(); }

const NodeId* NodeCore::NodeOf(const FarCell& cell) const {
  absl::ReaderMutexLock lock(&mu_);
  const auto known = nodes_.find(&cell);
  return known != nodes_.end() ? &known->second : nullptr;
}

}  // namespace troupe::internal
