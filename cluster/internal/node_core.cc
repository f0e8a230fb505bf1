#include "troupe/cluster/internal/node_core.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/log.h"
#include "troupe/cluster/internal/directory.h"

namespace troupe::internal {

absl::StatusOr<FarCell*> NodeCore::CellOf(const NodeId& node) {
  absl::MutexLock lock(&mu_);
  const auto known = cells_.find(node);
  const auto heard = heard_of_.find(node);
  if (known != cells_.end() && heard == heard_of_.end()) return known->second;
  if (const auto met = met_.find(node.name);
      met != met_.end() && met->second >= limits_.of_one_name) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "'", self_.name, "' has had sessions with ", met->second,
        " incarnations of '", node.name,
        "', and has none with another one until it begins anew itself"));
  }
  absl::StatusOr<FarCell*> cell =
      known != cells_.end() ? known->second : Make(node);
  if (!cell.ok()) return cell;
  ++met_[node.name];
  if (heard != heard_of_.end()) {
    --told_[heard->second].nodes;
    heard_of_.erase(heard);
  }
  return cell;
}

absl::StatusOr<FarCell*> NodeCore::Make(const NodeId& node) {
  absl::StatusOr<FarCell*> made = FarCell::Make(system_.core(), node.name);
  if (made.ok()) {
    cells_.emplace(node, *made);
    nodes_.emplace(*made, node);
  }
  return made;
}

absl::StatusOr<FarCell*> NodeCore::CellOfThird(const NodeId& node,
                                               const std::string& peer) {
  std::string news;
  absl::StatusOr<FarCell*> cell = FindOrMakeThird(node, peer, news);
  if (!news.empty()) system_.logger().Log(LogSeverity::kWarning, news);
  return cell;
}

absl::StatusOr<FarCell*> NodeCore::FindOrMakeThird(const NodeId& node,
                                                   const std::string& peer,
                                                   std::string& news) {
  absl::MutexLock lock(&mu_);
  if (const auto known = cells_.find(node); known != cells_.end()) {
    return known->second;
  }
  Told& told = told_[peer];
  if (told.nodes < limits_.of_one_peer && heard_of_.size() < limits_.of_all) {
    absl::StatusOr<FarCell*> made = Make(node);
    if (made.ok()) {
      heard_of_.emplace(node, peer);
      ++told.nodes;
    }
    return made;
  }
  if (!std::exchange(told.is_logged, true)) {
    news = absl::StrCat("references to actors of '", node.name,
                        "' that come from '", peer,
                        "' lead nowhere, and those of more nodes: '",
                        self_.name, "' has heard of ", told.nodes,
                        " nodes from there with which it has "
                        "had no session (",
                        heard_of_.size(), " from all)");
  }
  if (nowhere_ == nullptr) {
    absl::StatusOr<FarCell*> made = FarCell::Make(
        system_.core(), "one of too many nodes that were heard of");
    if (!made.ok()) return made;
    nowhere_ = *made;
  }
  return nowhere_;
}

bool NodeCore::IsNowhere(const FarCell& cell) const {
  absl::ReaderMutexLock lock(&mu_);
  return &cell == nowhere_;
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
