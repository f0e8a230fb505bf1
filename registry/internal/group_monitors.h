// Who is told of the changes of groups.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_MONITORS_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_MONITORS_H_

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"
#include "troupe/registry/internal/monitor_gate.h"

namespace troupe::internal {

// Order: of a change those are told first who monitor the group, then those who
// monitor its scope, then those who monitor all; each in the order in which
// they began.
// Ownership: shuts the gates that it has made.
// Thread safety: none.
class GroupMonitors {
 public:
  GroupMonitors() = default;
  GroupMonitors(const GroupMonitors&) = delete;
  GroupMonitors& operator=(const GroupMonitors&) = delete;
  ~GroupMonitors();

  bool empty() const { return begun_.empty(); }

  // The way to a monitor that begins; null: it has begun that already.
  MonitorGate* Add(const GroupRange& range,
                   const ActorRef<GroupChanged>& monitor);
  // False: it had not begun.
  bool Remove(const GroupRange& range, const AnyActorRef& monitor);
  void RemoveAll(const AnyActorRef& monitor);

  // The ways to those who are to hear of a change of the group.
  std::vector<MonitorGate*> Of(GroupNameView group) const;

 private:
  using List = std::vector<MonitorGate*>;
  struct Scope {
    List whole;
    absl::flat_hash_map<std::string, List> groups;
  };
  struct Begun {
    GroupRange range;
    MonitorGate* gate;
  };

  List& ListOf(const GroupRange& range);
  void End(const Begun& begun);

  absl::flat_hash_map<std::string, Scope> scopes_;
  List all_;
  absl::flat_hash_map<AnyActorRef, std::vector<Begun>> begun_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_MONITORS_H_
