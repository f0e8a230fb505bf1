// The members of a group at one moment: what is read, and sent to, while others
// join and leave.
//
// Order: of joining.
// Ownership: shared by all who look between two changes; immutable.
// Thread safety: any thread.
#ifndef TROUPE_REGISTRY_GROUP_VIEW_H_
#define TROUPE_REGISTRY_GROUP_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/types/span.h"

namespace troupe {

// Who knows of a member at first hand: this node, or another one.
using GroupSource = uint32_t;
inline constexpr GroupSource kLocalSource = 0;

template <typename Member, typename Attribute = std::monostate>
class GroupView {
 public:
  GroupView(uint64_t version, const Attribute& attribute)
      : version_(version), attribute_(attribute) {}

  // For who makes it.
  void Reserve(size_t members) {
    members_.reserve(members);
    numbers_.reserve(members);
  }
  void Add(const Member& member, uint64_t number, GroupSource source) {
    const bool is_local = source == kLocalSource;
    if (is_local && members_.size() != local_) local_members_.push_back(member);
    if (!is_local && members_.size() == local_) local_members_ = members_;
    members_.push_back(member);
    numbers_.push_back(number);
    if (is_local) ++local_;
  }

  // All, as often as they have joined.
  absl::Span<const Member> members() const { return members_; }
  // Those of this node.
  absl::Span<const Member> local_members() const {
    return local_ == members_.size() ? members_ : local_members_;
  }
  // Of each of members(), what a choice by key goes by.
  absl::Span<const uint64_t> numbers() const { return numbers_; }
  // Grows with every change of any group.
  uint64_t version() const { return version_; }
  const Attribute& attribute() const { return attribute_; }

 private:
  uint64_t version_;
  Attribute attribute_;
  std::vector<Member> members_;
  std::vector<uint64_t> numbers_;
  size_t local_ = 0;
  std::vector<Member> local_members_;  // If there are others.
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_VIEW_H_
