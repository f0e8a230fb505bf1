// Which groups a monitor is about.
//
//   groups.Monitor(lobby, host);                        // One.
//   groups.Monitor(GroupRange::Scope("sales"), host);   // All of a scope.
//   groups.Monitor(GroupRange::All(), host);            // All.
//
// Thread safety: a value.
#ifndef TROUPE_REGISTRY_GROUP_RANGE_H_
#define TROUPE_REGISTRY_GROUP_RANGE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_name.h"

namespace troupe {

class GroupRange {
 public:
  enum class Kind : uint8_t { kGroup, kScope, kAll };

  // One group.
  // NOLINTNEXTLINE(google-explicit-constructor)
  GroupRange(GroupName name) : kind_(Kind::kGroup), name_(std::move(name)) {}
  template <typename... Ps>
  // NOLINTNEXTLINE(google-explicit-constructor)
  GroupRange(const Group<Ps...>& group) : GroupRange(group.name()) {}
  // The groups of a scope, those that come later too.
  static GroupRange Scope(absl::string_view scope) {
    return GroupRange(Kind::kScope, {.scope = std::string(scope)});
  }
  static GroupRange All() { return GroupRange(Kind::kAll, {}); }

  Kind kind() const { return kind_; }
  const std::string& scope() const { return name_.scope; }
  // REQUIRES: one group.
  const GroupName& name() const { return name_; }

  friend bool operator==(const GroupRange&, const GroupRange&) = default;

 private:
  GroupRange(Kind kind, GroupName name) : kind_(kind), name_(std::move(name)) {}

  Kind kind_;
  GroupName name_;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_RANGE_H_
