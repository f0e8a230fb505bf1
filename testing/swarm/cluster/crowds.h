// Groups with members on all nodes (clause 32).
//
// Invariants:
//   groups have their members        on all nodes the same at rest; of a node
//                                    that is down, none
//   what is sent to a group comes    once to each member that stays, in a
//                                    session that lasts; else once at most
//   monitors of groups are told all  once, so that who applies it knows all
#ifndef TROUPE_TESTING_SWARM_CLUSTER_CROWDS_H_
#define TROUPE_TESTING_SWARM_CLUSTER_CROWDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/registry/group_changed.h"
#include "troupe/registry/group_name.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

class Crowds {
 public:
  static constexpr size_t kGroups = 3;
  // The last one is shared with its scope.
  static GroupName NameOf(size_t group);
  static constexpr absl::string_view kScope = "hall";

  Crowds(Journal& journal, Lives& lives, Sessions& sessions, const Rules& rules)
      : journal_(journal), lives_(lives), sessions_(sessions), rules_(rules) {}

  // -- members

  bool IsMember(size_t group, Number who) const;
  void Joins(size_t group, Number who);
  void Leaves(size_t group, Number who);
  // `run` has lost `peer`, and knows these as members.
  void LostNode(NodeRun run, NodeRun peer,
                absl::Span<const AnyActorRef> members);

  // -- what is sent to all

  // The number of what `sender` sends, whose node knows these members;
  // `surely`: no outbox refuses it.
  uint32_t Sends(Number sender, size_t group, bool surely,
                 absl::Span<const AnyActorRef> members);
  void Hears(Number who, Number sender, size_t group, uint32_t number);

  // -- monitors, of all groups

  void Monitors(Number who);
  void Demonitors(Number who, bool was_on);
  void Told(Number who, const GroupChanged& change);

  // At rest: what `run` says of the members of a group.
  void CheckAtRest(NodeRun run, size_t group,
                   absl::Span<const AnyActorRef> members);
  void CheckAllAtRest();

 private:
  struct Membership {
    bool lasts = false;
    uint32_t serial = 0;  // Which of those of that actor.
  };
  struct Sent {
    Number sender;
    Number member;
    size_t group;
    uint32_t number;
    uint32_t serial;
    Epoch epoch;
  };
  struct Known {
    uint64_t version = 0;
    std::map<uint64_t, uint32_t> times = {};  // By the ids of members.
  };
  struct Monitor {
    bool is_on = false;
    std::array<Known, kGroups> groups = {};
  };

  Journal& journal_;
  Lives& lives_;
  Sessions& sessions_;
  const Rules& rules_;
  std::map<std::pair<size_t, Number>, Membership> members_;
  std::map<std::pair<size_t, Number>, uint32_t> sent_numbers_;
  std::vector<Sent> sent_;
  // Member, sender, group and number.
  absl::flat_hash_set<std::array<uint32_t, 4>> heard_;
  std::map<Number, Monitor> monitors_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_CROWDS_H_
