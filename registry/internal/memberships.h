// All memberships that one source knows of, by their members.
#ifndef TROUPE_REGISTRY_INTERNAL_MEMBERSHIPS_H_
#define TROUPE_REGISTRY_INTERNAL_MEMBERSHIPS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "troupe/registry/group_view.h"
#include "troupe/registry/internal/group_record.h"
#include "troupe/registry/internal/make_room.h"

namespace troupe::internal {

// Ownership: of the memberships; groups refer to them.
// Thread safety: none.
template <typename Member, typename Attribute>
class Memberships {
 public:
  using Group = GroupRecord<Member, Attribute>;
  using Joined = GroupMembership<Member, Attribute>;

  explicit Memberships(GroupSource source) : source_(source) {}
  Memberships(const Memberships&) = delete;
  Memberships& operator=(const Memberships&) = delete;
  ~Memberships() {
    for (auto& [member, youngest] : youngest_) {
      while (youngest != nullptr) {
        delete std::exchange(youngest, youngest->older);
      }
    }
  }

  GroupSource source() const { return source_; }
  bool empty() const { return youngest_.empty(); }
  bool Contains(const Member& member) const {
    return youngest_.contains(member);
  }

  // Room for as many as are listed. What throws changes nothing.
  using Room = absl::InlinedVector<std::unique_ptr<Joined>, 1>;
  Room MakeRoomIn(Group& group, size_t count) {
    Room room(count);
    for (std::unique_ptr<Joined>& one : room) one = std::make_unique<Joined>();
    group.MakeRoom(count);
    internal::MakeRoom(youngest_, count);
    return room;
  }

  void Add(Group& group, const Member& member, uint64_t number) {
    Add(group, member, number, std::make_unique<Joined>());
  }
  // Takes one of what there is room for, and no memory.
  void Add(Group& group, const Member& member, uint64_t number,
           std::unique_ptr<Joined> joined) {
    joined->number = number;
    joined->source = source_;
    Joined*& youngest = youngest_[member];
    group.Add(member, *joined);
    joined->older = youngest;
    if (youngest != nullptr) youngest->newer = joined.get();
    youngest = joined.release();
  }

  // The youngest membership of `member` in the group; null: none.
  Joined* Find(const Group& group, const Member& member) const {
    const auto found = youngest_.find(member);
    if (found == youngest_.end()) return nullptr;
    // Among the groups of the member and the members of the group at once: few
    // of either are enough to be quick.
    typename Group::Search search(group);
    for (Joined* joined = found->second; joined != nullptr;
         joined = joined->older) {
      if (joined->group == &group) return joined;
      if (search.AtEnd()) return nullptr;
      if (Joined* const seen = search.Next(member, source_)) return seen;
    }
    return nullptr;
  }

  void Remove(const Member& member, Joined* joined) {
    const std::unique_ptr<Joined> removed(joined);
    joined->group->Remove(*joined);
    if (joined->older != nullptr) joined->older->newer = joined->newer;
    if (joined->newer != nullptr) {
      joined->newer->older = joined->older;
    } else if (joined->older != nullptr) {
      youngest_[member] = joined->older;
    } else {
      youngest_.erase(member);
    }
  }

  // Removes all of `member`; calls visit(group) after each, from the oldest to
  // the youngest.
  template <typename F>
  void RemoveAll(const Member& member, F&& visit) {
    const auto found = youngest_.find(member);
    if (found == youngest_.end()) return;
    Joined* joined = found->second;
    youngest_.erase(found);
    while (joined->older != nullptr) joined = joined->older;
    while (joined != nullptr) {
      const std::unique_ptr<Joined> removed(joined);
      joined = joined->newer;
      removed->group->Remove(*removed);
      visit(*removed->group);
    }
  }

  // Calls visit(membership) for each, in no order that can be relied on.
  template <typename F>
  void ForEachUnordered(F&& visit) const {
    for (const auto& [member, youngest] : youngest_) {
      for (Joined* joined = youngest; joined != nullptr;
           joined = joined->older) {
        visit(*joined);
      }
    }
  }

 private:
  const GroupSource source_;
  absl::flat_hash_map<Member, Joined*> youngest_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_MEMBERSHIPS_H_
