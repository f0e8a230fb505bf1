// One group in a GroupTable, and what ties its members to it.
#ifndef TROUPE_REGISTRY_INTERNAL_GROUP_RECORD_H_
#define TROUPE_REGISTRY_INTERNAL_GROUP_RECORD_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/registry/group_name.h"
#include "troupe/registry/group_view.h"

namespace troupe::internal {

template <typename Member, typename Attribute>
class GroupRecord;

// One joining of one group by one member.
template <typename Member, typename Attribute>
struct GroupMembership {
  GroupRecord<Member, Attribute>* group = nullptr;
  size_t slot = 0;
  uint64_t number = 0;
  GroupSource source = kLocalSource;
  // Those of the same member, in the order of joining.
  GroupMembership* older = nullptr;
  GroupMembership* newer = nullptr;
};

// The memberships of a group, in the order of joining. Who leaves leaves a hole
// behind; holes go when they are as many as the members, so that leaving costs
// the same however large the group is.
//
// Thread safety: none.
template <typename Member, typename Attribute>
class GroupRecord {
  struct Slot;

 public:
  using Joined = GroupMembership<Member, Attribute>;
  using View = GroupView<Member, Attribute>;

  GroupRecord(absl::string_view scope, absl::string_view name,
              const Attribute& attribute)
      : scope_(scope), name_(name), attribute_(attribute) {}

  absl::string_view scope() const { return scope_; }
  absl::string_view name() const { return name_; }
  GroupName ToName() const { return {.scope = scope_, .name = name_}; }
  const Attribute& attribute() const { return attribute_; }
  size_t size() const { return slots_.size() - holes_; }
  bool empty() const { return size() == 0; }

  // That many can be added without memory. What throws changes nothing.
  void MakeRoom(size_t count) {
    const size_t size = slots_.size() + count;
    if (size > slots_.capacity()) {
      slots_.reserve(std::max(size, 2 * slots_.capacity()));
    }
  }
  void Add(const Member& member, Joined& joined) {
    joined.group = this;
    joined.slot = slots_.size();
    slots_.push_back({member, &joined});
  }
  void Remove(const Joined& joined) {
    slots_[joined.slot].joined = nullptr;
    if (++holes_ * 2 > slots_.size()) Compact();
  }
  // To be called after every change.
  void SetVersion(uint64_t version) {
    version_ = version;
    view_ = nullptr;
  }

  // The numbers of memberships have changed, and nothing else.
  void ForgetView() { view_ = nullptr; }

  // Calls visit(member, membership) in the order of joining.
  template <typename F>
  void ForEach(F&& visit) const {
    for (const Slot& slot : slots_) {
      if (slot.joined != nullptr) visit(slot.member, *slot.joined);
    }
  }

  // Searches from the youngest on, one membership with each call of Next().
  class Search {
   public:
    explicit Search(const GroupRecord& group)
        : slots_(&group.slots_), left_(group.slots_.size()) {}
    bool AtEnd() const { return left_ == 0; }
    // The membership if it is one of `member`, known by `source`.
    Joined* Next(const Member& member, GroupSource source) {
      const Slot& slot = (*slots_)[--left_];
      return slot.joined != nullptr && slot.joined->source == source &&
                     slot.member == member
                 ? slot.joined
                 : nullptr;
    }

   private:
    const std::vector<Slot>* slots_;
    size_t left_;
  };

  // The members now. Made when it is first asked for after a change.
  const std::shared_ptr<const View>& Look() {
    if (view_ == nullptr) {
      auto view = std::make_shared<View>(version_, attribute_);
      view->Reserve(size());
      ForEach([&](const Member& member, const Joined& joined) {
        view->Add(member, joined.number, joined.source);
      });
      view_ = std::move(view);
    }
    return view_;
  }

  // The member behind the one that the last call returned, the first one behind
  // the last. REQUIRES: !empty()
  const Member& NextInTurn() {
    do {
      if (turn_ >= slots_.size()) turn_ = 0;
      ++turn_;
    } while (slots_[turn_ - 1].joined == nullptr);
    return slots_[turn_ - 1].member;
  }

  // For the table: how many of its memberships are about to go.
  size_t leaving = 0;

 private:
  struct Slot {
    Member member;
    Joined* joined;  // Null: a hole.
  };

  void Compact() {
    size_t kept = 0;
    size_t turn = 0;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (i == turn_) turn = kept;
      if (slots_[i].joined == nullptr) continue;
      slots_[i].joined->slot = kept;
      slots_[kept++] = slots_[i];
    }
    turn_ = turn_ >= slots_.size() ? kept : turn;
    slots_.erase(slots_.begin() + kept, slots_.end());
    if (slots_.size() * 4 < slots_.capacity()) slots_.shrink_to_fit();
    holes_ = 0;
  }

  const std::string scope_;
  const std::string name_;
  const Attribute attribute_;
  std::vector<Slot> slots_;
  size_t holes_ = 0;
  size_t turn_ = 0;  // The slot that is looked at next.
  uint64_t version_ = 0;
  std::shared_ptr<const View> view_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_GROUP_RECORD_H_
