// What nodes say to each other of groups: items of the data lane.
//
//   A -> B  kGroupsWanted   A shares these groups: B is to tell its members
//   B -> A  kGroupSaid      these are all of them; these have joined
//   B -> A  kGroupLeft      these have left
//   A -> B  kGroupSend      a message for all of them
//
// Each node says of its own members only. What it says is numbered, from 1 in
// each session: who misses a number ends the session, and the next one begins
// with all members.
#ifndef TROUPE_CLUSTER_INTERNAL_GROUP_ITEMS_H_
#define TROUPE_CLUSTER_INTERNAL_GROUP_ITEMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "troupe/cluster/internal/items.h"

namespace troupe::internal {

struct GroupsWantedItem {
  static constexpr ItemKind kKind = ItemKind::kGroupsWanted;
  std::string scope;
  std::string name;  // Empty: all groups of the scope.
};

struct GroupSaidItem {
  static constexpr ItemKind kKind = ItemKind::kGroupSaid;
  enum How : uint8_t {
    kJoined,    // Besides those that were said.
    kAll,       // And no others; with those of kAllBegins in front of it.
    kAllBegins  // The rest follows.
  };
  uint64_t sequence = 0;
  std::string scope;
  std::string name;
  uint8_t how = kJoined;
  // What all members take: types that were introduced.
  std::vector<uint32_t> types;
  // The members, as often as they have joined, and the number of each joining.
  std::vector<uint64_t> ids;
  std::vector<uint64_t> numbers;
};

struct GroupLeftItem {
  static constexpr ItemKind kKind = ItemKind::kGroupLeft;
  uint64_t sequence = 0;
  std::string scope;
  std::string name;
  std::vector<uint64_t> ids;
};

// Ends with the message.
struct GroupSendHead {
  static constexpr ItemKind kKind = ItemKind::kGroupSend;
  std::string scope;
  std::string name;
  uint64_t type = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_GROUP_ITEMS_H_
