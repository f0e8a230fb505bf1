#include "troupe/registry/internal/group_monitors.h"

#include <algorithm>

namespace troupe::internal {

GroupMonitors::~GroupMonitors() {
  for (const auto& [monitor, all_begun] : begun_) {
    for (const Begun& begun : all_begun) begun.gate->Shut();
  }
}

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

MonitorGate* GroupMonitors::Add(const GroupRange& range,
                                const ActorRef<GroupChanged>& monitor) {
  std::vector<Begun>& all_begun = begun_[monitor];
  for (const Begun& begun : all_begun) {
    if (begun.range == range) return nullptr;
  }
  auto* const gate = new MonitorGate(monitor);
  all_begun.push_back({range, gate});
  ListOf(range).push_back(gate);
  return gate;
}

bool GroupMonitors::Remove(const GroupRange& range,
                           const AnyActorRef& monitor) {
  const auto found = begun_.find(monitor);
  if (found == begun_.end()) return false;
  std::vector<Begun>& all_begun = found->second;
  const auto begun =
      std::find_if(all_begun.begin(), all_begun.end(),
                   [&](const Begun& one) { return one.range == range; });
  if (begun == all_begun.end()) return false;
  End(*begun);
  all_begun.erase(begun);
  if (all_begun.empty()) begun_.erase(found);
  return true;
}

void GroupMonitors::RemoveAll(const AnyActorRef& monitor) {
  const auto found = begun_.find(monitor);
  if (found == begun_.end()) return;
  for (const Begun& begun : found->second) End(begun);
  begun_.erase(found);
}

void GroupMonitors::End(const Begun& begun) {
  const GroupRange& range = begun.range;
  List& list = ListOf(range);
  list.erase(std::find(list.begin(), list.end(), begun.gate));
  begun.gate->Shut();
  if (range.kind() == GroupRange::Kind::kAll) return;
  Scope& scope = scopes_[range.scope()];
  if (range.kind() == GroupRange::Kind::kGroup && list.empty()) {
    scope.groups.erase(range.name().name);
  }
  if (scope.whole.empty() && scope.groups.empty()) {
    scopes_.erase(range.scope());
  }
}

std::vector<MonitorGate*> GroupMonitors::Of(GroupNameView group) const {
  List gates;
  if (const auto scope = scopes_.find(group.scope); scope != scopes_.end()) {
    const auto& groups = scope->second.groups;
    if (const auto found = groups.find(group.name); found != groups.end()) {
      gates = found->second;
    }
    gates.insert(gates.end(), scope->second.whole.begin(),
                 scope->second.whole.end());
  }
  gates.insert(gates.end(), all_.begin(), all_.end());
  return gates;
}

}  // namespace troupe::internal
