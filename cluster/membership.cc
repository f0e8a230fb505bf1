#include "troupe/cluster/membership.h"

#include <set>

#include "absl/strings/str_cat.h"

namespace troupe {

MembershipChanges ChangesBetween(const Membership& from, const Membership& to) {
  MembershipChanges changes;
  auto old = from.members.begin();
  auto now = to.members.begin();
  while (old != from.members.end() || now != to.members.end()) {
    const bool is_gone = now == to.members.end() ||
                         (old != from.members.end() && old->name < now->name);
    const bool is_new = old == from.members.end() ||
                        (now != to.members.end() && now->name < old->name);
    if (is_gone) {
      changes.left.push_back(*old++);
    } else if (is_new) {
      changes.joined.push_back(*now++);
    } else {
      if (old->incarnation != now->incarnation ||
          old->joined_at != now->joined_at) {
        changes.left.push_back(*old);
        changes.joined.push_back(*now);
      } else if (*old != *now) {
        changes.changed.push_back(*now);
      }
      ++old;
      ++now;
    }
  }
  return changes;
}

absl::Status ValidateMembers(const std::vector<Member>& members) {
  std::set<std::string> names;
  for (const Member& member : members) {
    if (member.name.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the member at '", member.address, "' has no name"));
    }
    if (member.address.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the member '", member.name, "' has no address"));
    }
    if (!names.insert(member.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two members are called '", member.name, "'"));
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
