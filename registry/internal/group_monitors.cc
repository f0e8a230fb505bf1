#include "troupe/registry/internal/group_monitors.h"

#include <algorithm>

namespace troupe::internal {

GroupMonitors::List& GroupMonitors::ListOf(const GroupRange& range) {
  switch (range.kind()) {
    case GroupRange::Kind::kGroup:
      return scopes_[range.scope()].groups[range.name().name];
    case GroupRange::Kind::kScope:
      return scopes_[range.scope()].whole;
    case GroupRange::Kind::kAll:
      break;
  }
  return all_;
}

bool GroupMonitors::Add(const GroupRange& range, const Monitor& monitor) {
  std::vector<GroupRange>& ranges = ranges_[monitor];
  if (std::find(ranges.begin(), ranges.end(), range) != ranges.end()) {
    return false;
  }
  ranges.push_back(range);
  ListOf(range).push_back(monitor);
  return true;
}

bool GroupMonitors::Remove(const GroupRange& range,
                           const AnyActorRef& monitor) {
  const auto found = ranges_.find(monitor);
  if (found == ranges_.end()) return false;
  std::vector<GroupRange>& ranges = found->second;
  const auto place = std::find(ranges.begin(), ranges.end(), range);
  if (place == ranges.end()) return false;
  ranges.erase(place);
  if (ranges.empty()) ranges_.erase(found);
  RemoveFromList(range, monitor);
  return true;
}

void GroupMonitors::RemoveAll(const AnyActorRef& monitor) {
  const auto found = ranges_.find(monitor);
  if (found == ranges_.end()) return;
  for (const GroupRange& range : found->second) RemoveFromList(range, monitor);
  ranges_.erase(found);
}

void GroupMonitors::RemoveFromList(const GroupRange& range,
                                   const AnyActorRef& monitor) {
  List& list = ListOf(range);
  list.erase(std::find(list.begin(), list.end(), monitor));
  if (range.kind() == GroupRange::Kind::kAll) return;
  Scope& scope = scopes_[range.scope()];
  if (range.kind() == GroupRange::Kind::kGroup && list.empty()) {
    scope.groups.erase(range.name().name);
  }
  if (scope.whole.empty() && scope.groups.empty()) {
    scopes_.erase(range.scope());
  }
}

std::vector<GroupMonitors::Monitor> GroupMonitors::Of(
    GroupNameView group) const {
  List monitors;
  if (const auto scope = scopes_.find(group.scope); scope != scopes_.end()) {
    const auto& groups = scope->second.groups;
    if (const auto found = groups.find(group.name); found != groups.end()) {
      monitors = found->second;
    }
    monitors.insert(monitors.end(), scope->second.whole.begin(),
                    scope->second.whole.end());
  }
  monitors.insert(monitors.end(), all_.begin(), all_.end());
  return monitors;
}

}  // namespace troupe::internal
