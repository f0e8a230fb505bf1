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

namespace troupe::internal {

// Order: of a change those are told first who monitor the group, then those who
// monitor its scope, then those who monitor all; each in the order in which
// they began.
// Thread safety: none.
class GroupMonitors {
 public:
  using Monitor = ActorRef<GroupChanged>;

  bool empty() const { return ranges_.empty(); }

  // False: it does so already.
  bool Add(const GroupRange& range, const Monitor& monitor);
  // False: it did not.
  bool Remove(const GroupRange& range, const AnyActorRef& monitor);
  void RemoveAll(const AnyActorRef& monitor);

  // Those who are to hear of a change of the group.
  std::vector<Monitor> Of(GroupNameView group) const;

 private:
  using List = std::vector<Monitor>;
  struct Scope {
    List whole;
    absl::flat_hash_map<std::string, List> groups;
  };

  List& ListOf(const GroupRange& range);
  void RemoveFromList(const GroupRange& range, const AnyActorRef& monitor);

  absl::flat_hash_map<std::string, Scope> scopes_;
  List all_;
  // What each monitors.
  absl::flat_hash_map<AnyActorRef, std::vector<GroupRange>> ranges_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_MONITORS_H_
