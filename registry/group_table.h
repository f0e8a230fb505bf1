// A GroupTable keeps who is a member of which group: scopes of groups of
// members, who may be anything that can be copied, compared and hashed.
//
//   GroupTable<int> table;
//   const auto tell = [](const GroupChange<int>& change) { ... };
//   table.Join(lobby, {1, 2}, tell);    // tell: joined 1, 2
//   table.Look(lobby)->members();       // 1, 2
//   table.LeaveAll(2, tell);            // tell: left 2
//
// Memberships are counted: who joins a group twice is a member twice, is listed
// twice, and must leave twice. Groups and scopes exist while they have members.
// Members are known at first hand (kLocalSource), or from another source, such
// as another node, whose word can be replaced or dropped as a whole.
//
// Order: members are in the order in which they joined; names are sorted. The
// same calls give the same orders in every run.
// Ownership: the table's, of copies of the members.
// Blocking: never. Joining and leaving cost the same however large a group is.
// Looking copies the group if it has changed since somebody looked.
// Thread safety: none. What Look() returns may go to other threads.
#ifndef TROUPE_REGISTRY_GROUP_TABLE_H_
#define TROUPE_REGISTRY_GROUP_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/container/inlined_vector.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_view.h"
#include "troupe/registry/internal/group_index.h"
#include "troupe/registry/internal/group_record.h"
#include "troupe/registry/internal/memberships.h"

namespace troupe {

// What a call has done to one group. Refers to what is only there meanwhile.
template <typename Member>
struct GroupChange {
  GroupNameView group;
  uint64_t version;  // Greater than that of every change before.
  absl::Span<const Member> joined;
  absl::Span<const Member> left;
  GroupSource source;  // Who knows of it.
  // At first hand: the number of joined[0]; the others have the next ones.
  uint64_t first_number;
};

// `Attribute`: what all members of a group agree on. Who joins first brings it.
template <typename Member, typename Attribute = std::monostate>
class GroupTable {
 public:
  using Change = GroupChange<Member>;
  // Is told of each change when it is done; must not touch the table.
  using OnChange = absl::FunctionRef<void(const Change&)>;
  using View = GroupView<Member, Attribute>;
  // A member that another source knows of, with the number that it has there:
  // see GroupView::numbers().
  struct Numbered {
    Member member;
    uint64_t number;
  };
  // What a source says of one group.
  struct Said {
    GroupName group;
    std::vector<Numbered> members;
    Attribute attribute = {};
  };

  GroupTable() = default;
  GroupTable(const GroupTable&) = delete;
  GroupTable& operator=(const GroupTable&) = delete;

  // Each member joins, as often as it is listed. False: the group has another
  // attribute; nothing is done.
  [[nodiscard]] bool Join(GroupNameView group, absl::Span<const Member> members,
                          OnChange on_change, const Attribute& attribute = {}) {
    if (members.empty()) return true;
    Group& record = groups_.GetOrMake(group, attribute);
    if (!(record.attribute() == attribute)) return false;
    typename Memberships::Room room = MakeRoomIn(record, members.size());
    for (size_t i = 0; i < members.size(); ++i) {
      local_.Add(record, members[i], ++last_number_, std::move(room[i]));
    }
    Tell(record, members, {}, kLocalSource, on_change);
    return true;
  }

  // Of each member the youngest membership goes, as often as it is listed.
  // Returns how many did.
  size_t Leave(GroupNameView group, absl::Span<const Member> members,
               OnChange on_change);

  // All memberships of `member` go, with one change for each of its groups, in
  // the order in which it had joined them. Returns how many went.
  size_t LeaveAll(const Member& member, OnChange on_change);

  // From now on `source` says this, each group once, and nothing else. Of each
  // group the difference is told, in the order of their names. What is said of
  // a group with another attribute is passed over; returns whether nothing was.
  // REQUIRES: source != kLocalSource
  bool Replace(GroupSource source, absl::Span<const Said> said,
               OnChange on_change);
  // The same for one group, and nothing else changes; false: it has another
  // attribute.
  bool ReplaceIn(GroupSource source, const Said& said, OnChange on_change);
  // Besides, it says that these have joined; false as above.
  bool Add(GroupSource source, const Said& said, OnChange on_change);
  // It says that these have left: as Leave(), of what it had said.
  size_t Remove(GroupSource source, GroupNameView group,
                absl::Span<const Member> members, OnChange on_change);
  // As if it said nothing any more.
  void Drop(GroupSource source, OnChange on_change) {
    Replace(source, {}, on_change);
  }

  // The members now; null: there is no such group.
  std::shared_ptr<const View> Look(GroupNameView group) {
    Group* const record = groups_.Find(group);
    return record != nullptr ? record->Look() : nullptr;
  }

  // The member whose turn it is, one after the other; null: as for Look().
  const Member* NextInTurn(GroupNameView group) {
    Group* const record = groups_.Find(group);
    return record != nullptr ? &record->NextInTurn() : nullptr;
  }

  // Adds `offset` to the numbers of all members at first hand, so that they
  // differ from those that other tables give.
  void Renumber(uint64_t offset);

  // Whether it is a member of any group, at first hand.
  bool Contains(const Member& member) const { return local_.Contains(member); }

  std::vector<std::string> ListScopes() const { return groups_.ListScopes(); }
  std::vector<std::string> ListGroups(absl::string_view scope) const {
    return groups_.ListGroups(scope);
  }

 private:
  using Group = internal::GroupRecord<Member, Attribute>;
  using Joined = internal::GroupMembership<Member, Attribute>;
  using Memberships = internal::Memberships<Member, Attribute>;

  // Makes `members` say this of the group.
  void Replace(Group& group, absl::Span<const Numbered> said,
               Memberships& members, OnChange on_change);
  size_t Leave(Memberships& memberships, GroupNameView group,
               absl::Span<const Member> members, OnChange on_change);
  Memberships& Of(GroupSource source) {
    return others_.try_emplace(source, source).first->second;
  }
  void ForgetIfEmpty(const Memberships& members) {
    if (members.empty()) others_.erase(members.source());
  }

  // A group that is new goes if there is none.
  typename Memberships::Room MakeRoomIn(Group& group, size_t count) {
    struct Undo {
      ~Undo() {
        if (group.empty() && !done) {
          groups.Remove(GroupNameView(group.scope(), group.name()));
        }
      }
      internal::GroupIndex<Group>& groups;
      Group& group;
      bool done = false;
    } undo{groups_, group};
    typename Memberships::Room room = local_.MakeRoomIn(group, count);
    undo.done = true;
    return room;
  }

  // Ends a change of `group`, which goes with its last member.
  void Tell(Group& group, absl::Span<const Member> joined,
            absl::Span<const Member> left, GroupSource source,
            OnChange on_change) {
    group.SetVersion(++version_);
    const GroupNameView name(group.scope(), group.name());
    on_change({name, version_, joined, left, source,
               last_number_ - joined.size() + 1});
    if (group.empty()) groups_.Remove(name);
  }

  internal::GroupIndex<Group> groups_;
  Memberships local_{kLocalSource};
  std::map<GroupSource, Memberships> others_;
  uint64_t version_ = 0;
  uint64_t last_number_ = 0;
};

// -- implementation ----------------------------------------------------------

template <typename Member, typename Attribute>
size_t GroupTable<Member, Attribute>::Leave(GroupNameView group,
                                            absl::Span<const Member> members,
                                            OnChange on_change) {
  return Leave(local_, group, members, on_change);
}

template <typename Member, typename Attribute>
size_t GroupTable<Member, Attribute>::Leave(Memberships& memberships,
                                            GroupNameView group,
                                            absl::Span<const Member> members,
                                            OnChange on_change) {
  Group* const record = groups_.Find(group);
  if (record == nullptr) return 0;
  absl::InlinedVector<Member, 4> left;
  for (const Member& member : members) {
    Joined* const joined = memberships.Find(*record, member);
    if (joined == nullptr) continue;
    memberships.Remove(member, joined);
    left.push_back(member);
  }
  if (!left.empty()) Tell(*record, {}, left, memberships.source(), on_change);
  return left.size();
}

template <typename Member, typename Attribute>
size_t GroupTable<Member, Attribute>::LeaveAll(const Member& member,
                                               OnChange on_change) {
  absl::InlinedVector<Group*, 8> groups;
  size_t count = 0;
  local_.RemoveAll(member, [&](Group& group) {
    if (group.leaving++ == 0) groups.push_back(&group);
    ++count;
  });
  for (Group* const group : groups) {
    const absl::InlinedVector<Member, 4> left(std::exchange(group->leaving, 0),
                                              member);
    Tell(*group, {}, left, kLocalSource, on_change);
  }
  return count;
}

template <typename Member, typename Attribute>
bool GroupTable<Member, Attribute>::Replace(GroupSource source,
                                            absl::Span<const Said> said,
                                            OnChange on_change) {
  Memberships& members = Of(source);
  std::map<GroupName, absl::Span<const Numbered>> groups;
  members.ForEachUnordered(
      [&](const Joined& joined) { groups[joined.group->ToName()] = {}; });
  bool agreed = true;
  for (const Said& one : said) {
    if (one.members.empty()) continue;
    const Group& group = groups_.GetOrMake(one.group, one.attribute);
    if (group.attribute() == one.attribute) {
      groups[one.group] = one.members;
    } else {
      agreed = false;
    }
  }
  for (const auto& [name, listed] : groups) {
    Replace(*groups_.Find(name), listed, members, on_change);
  }
  ForgetIfEmpty(members);
  return agreed;
}

template <typename Member, typename Attribute>
bool GroupTable<Member, Attribute>::ReplaceIn(GroupSource source,
                                              const Said& said,
                                              OnChange on_change) {
  Group* const group = said.members.empty()
                           ? groups_.Find(said.group)
                           : &groups_.GetOrMake(said.group, said.attribute);
  if (group == nullptr) return true;
  if (!(group->attribute() == said.attribute)) return false;
  Memberships& members = Of(source);
  Replace(*group, said.members, members, on_change);
  ForgetIfEmpty(members);
  return true;
}

template <typename Member, typename Attribute>
bool GroupTable<Member, Attribute>::Add(GroupSource source, const Said& said,
                                        OnChange on_change) {
  if (said.members.empty()) return true;
  Group& group = groups_.GetOrMake(said.group, said.attribute);
  if (!(group.attribute() == said.attribute)) return false;
  Memberships& members = Of(source);
  std::vector<Member> joined;
  joined.reserve(said.members.size());
  for (const Numbered& one : said.members) {
    members.Add(group, one.member, one.number);
    joined.push_back(one.member);
  }
  Tell(group, joined, {}, source, on_change);
  return true;
}

template <typename Member, typename Attribute>
size_t GroupTable<Member, Attribute>::Remove(GroupSource source,
                                             GroupNameView group,
                                             absl::Span<const Member> members,
                                             OnChange on_change) {
  const auto known = others_.find(source);
  if (known == others_.end()) return 0;
  const size_t left = Leave(known->second, group, members, on_change);
  ForgetIfEmpty(known->second);
  return left;
}

template <typename Member, typename Attribute>
void GroupTable<Member, Attribute>::Renumber(uint64_t offset) {
  local_.ForEachUnordered([&](Joined& joined) {
    joined.number += offset;
    joined.group->ForgetView();
  });
  last_number_ += offset;
}

template <typename Member, typename Attribute>
void GroupTable<Member, Attribute>::Replace(Group& group,
                                            absl::Span<const Numbered> said,
                                            Memberships& members,
                                            OnChange on_change) {
  absl::flat_hash_set<std::pair<Member, uint64_t>> news;
  for (const Numbered& one : said) news.emplace(one.member, one.number);
  std::vector<std::pair<Member, Joined*>> unsaid;
  group.ForEach([&](const Member& member, Joined& joined) {
    if (joined.source == members.source() &&
        news.erase({member, joined.number}) == 0) {
      unsaid.emplace_back(member, &joined);
    }
  });
  std::vector<Member> left;
  for (const auto& [member, joined] : unsaid) {
    members.Remove(member, joined);
    left.push_back(member);
  }
  std::vector<Member> joined;
  for (const Numbered& one : said) {
    if (news.erase({one.member, one.number}) == 0) continue;
    members.Add(group, one.member, one.number);
    joined.push_back(one.member);
  }
  if (joined.empty() && left.empty()) return;
  Tell(group, joined, left, members.source(), on_change);
}

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_TABLE_H_
