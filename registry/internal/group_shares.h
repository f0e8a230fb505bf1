// Which groups have members on other nodes, too: single ones and all of a
// scope, and what is known of each.
//
// Thread safety: none.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_SHARES_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_SHARES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_range.h"

namespace troupe::internal {

template <typename Value>
class GroupShares {
 public:
  // Whether nothing was known of it.
  // REQUIRES: one group, or a scope.
  bool Set(const GroupRange& range, Value value) {
    if (range.kind() == GroupRange::Kind::kScope) {
      return scopes_.insert_or_assign(range.scope(), std::move(value)).second;
    }
    return groups_[range.scope()]
        .insert_or_assign(range.name().name, std::move(value))
        .second;
  }

  // What is known of the group; of the scope, if that is not shared by itself.
  // Null: it is not shared.
  const Value* Find(GroupNameView group) const {
    if (const auto scope = groups_.find(group.scope); scope != groups_.end()) {
      const auto found = scope->second.find(group.name);
      if (found != scope->second.end()) return &found->second;
    }
    const auto scope = scopes_.find(group.scope);
    return scope != scopes_.end() ? &scope->second : nullptr;
  }

  // Calls visit(range, value) for each, in an order that is that of names.
  template <typename F>
  void ForEach(F&& visit) const {
    for (const auto& [scope, value] : scopes_) {
      visit(GroupRange::Scope(scope), value);
    }
    for (const auto& [scope, groups] : groups_) {
      for (const auto& [name, value] : groups) {
        visit(GroupRange(GroupName{scope, name}), value);
      }
    }
  }

  size_t size() const {
    size_t size = scopes_.size();
    for (const auto& [scope, groups] : groups_) size += groups.size();
    return size;
  }

 private:
  using Names = absl::btree_map<std::string, Value>;

  absl::btree_map<std::string, Value> scopes_;
  absl::btree_map<std::string, Names> groups_;
};

// A change of what this node says of a group: of its own members.
struct LocalGroupChange {
  GroupNameView group;
  absl::Span<const AnyActorRef> joined;
  absl::Span<const AnyActorRef> left;
  uint64_t first_number;  // Of those that joined; the others have the next.
};

// What tells other nodes of the members here.
class GroupRelay {
 public:
  // A shared group has changed. Under the lock of the groups, in the order in
  // which changes happen: must be brief, and leave groups alone.
  virtual void OnLocalChange(const LocalGroupChange& change) = 0;

 protected:
  ~GroupRelay() = default;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_SHARES_H_
