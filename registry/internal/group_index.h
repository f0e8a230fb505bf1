// Scopes of groups, by their names.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_INDEX_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_INDEX_H_

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/internal/make_room.h"

namespace troupe::internal {

// `Group` is a GroupRecord.
//
// Order: lists are sorted.
// Thread safety: none.
template <typename Group>
class GroupIndex {
 public:
  // Null: there is none.
  Group* Find(GroupNameView group) const {
    const auto scope = scopes_.find(group.scope);
    if (scope == scopes_.end()) return nullptr;
    const auto found = scope->second.find(group.name);
    return found != scope->second.end() ? found->second.get() : nullptr;
  }

  // Makes a group with `attribute` if there is none. What throws changes
  // nothing.
  template <typename Attribute>
  Group& GetOrMake(GroupNameView group, const Attribute& attribute) {
    if (Group* const found = Find(group)) return *found;
    auto record = std::make_unique<Group>(group.scope, group.name, attribute);
    const absl::string_view name = record->name();
    const auto scope = scopes_.find(group.scope);
    if (scope != scopes_.end()) {
      MakeRoom(scope->second, 1);
      return *scope->second.emplace(name, std::move(record)).first->second;
    }
    std::string scope_name(group.scope);
    Scope only;
    MakeRoom(only, 1);
    MakeRoom(scopes_, 1);
    Group& made = *only.emplace(name, std::move(record)).first->second;
    scopes_.emplace(std::move(scope_name), std::move(only));
    return made;
  }

  // REQUIRES: it is there.
  void Remove(GroupNameView group) {
    const auto scope = scopes_.find(group.scope);
    const auto found = scope->second.find(group.name);
    // The names that are looked at lie in the record.
    const std::unique_ptr<Group> removed = std::move(found->second);
    scope->second.erase(found);
    if (scope->second.empty()) scopes_.erase(scope);
  }

  std::vector<std::string> ListScopes() const {
    std::vector<std::string> names;
    names.reserve(scopes_.size());
    for (const auto& [name, groups] : scopes_) names.push_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }
  std::vector<std::string> ListGroups(absl::string_view scope) const {
    std::vector<std::string> names;
    const auto found = scopes_.find(scope);
    if (found == scopes_.end()) return names;
    names.reserve(found->second.size());
    for (const auto& [name, group] : found->second) names.emplace_back(name);
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  // By the names that the records hold.
  using Scope = absl::flat_hash_map<absl::string_view, std::unique_ptr<Group>>;

  absl::flat_hash_map<std::string, Scope> scopes_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_INDEX_H_
