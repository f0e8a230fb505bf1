// Invariant "monitors of groups are told all" (§32): each change of a group
// that is monitored, once and in order, so that who applies them knows the
// members.
#ifndef TROUPE_TESTING_SWARM_GROUP_WATCH_H_
#define TROUPE_TESTING_SWARM_GROUP_WATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/registry/group_changed.h"
#include "troupe/testing/swarm/group_book.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class GroupWatch {
 public:
  static constexpr std::string_view kName = "monitors of groups are told all";
  static constexpr size_t kAll = GroupBook::kGroups;

  GroupWatch(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives) {}

  // `range`: the number of a group, or kAll. One for each actor at a time.
  void Begins(Number monitor, size_t range);
  // `was_on`: what Demonitor() said.
  void Ends(Number monitor, bool was_on);
  void Told(Number monitor, const GroupChanged& change);

  // At rest: the group's members, in order.
  void CheckAtRest(size_t group, absl::Span<const AnyActorRef> members);

 private:
  struct Known {
    uint64_t version = 0;
    std::map<uint64_t, uint32_t> times = {};  // By the ids of members.
  };
  struct Monitor {
    size_t range = 0;
    bool is_on = false;
    std::array<Known, GroupBook::kGroups> groups = {};
  };

  void Break(Number monitor, std::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  std::map<Number, Monitor> monitors_;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_GROUP_WATCH_H_
