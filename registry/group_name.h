// What a group is called: a name within a scope. Scopes keep the groups of
// different parts of a program apart; most programs do with the default one,
// whose name is empty.
//
//   GroupName lobby{.name = "lobby"};
//   GroupName sales{.scope = "sales", .name = "lobby"};  // Another one.
//
// Order: by scope, then by name; that of lists.
// Thread safety: values.
#ifndef TROUPE_REGISTRY_GROUP_NAME_H_
#define TROUPE_REGISTRY_GROUP_NAME_H_

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

struct GroupName {
  std::string scope = {};
  std::string name = {};

  // "lobby", or "sales/lobby".
  std::string ToString() const;

  friend auto operator<=>(const GroupName&, const GroupName&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const GroupName& group) {
    return H::combine(std::move(state), group.scope, group.name);
  }
  friend std::ostream& operator<<(std::ostream& os, const GroupName& group) {
    return os << group.ToString();
  }
};

// The same, of strings that are kept elsewhere.
struct GroupNameView {
  constexpr GroupNameView(absl::string_view in_scope, absl::string_view called)
      : scope(in_scope), name(called) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  GroupNameView(const GroupName& group)
      : scope(group.scope), name(group.name) {}

  absl::string_view scope;
  absl::string_view name;
};

// kInvalidArgument: no group can be called so. A name has 1 to 255 bytes, a
// scope 0 to 255, and neither has control characters.
absl::Status CheckGroupName(GroupNameView group);

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_NAME_H_
