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
    if (is_local && !elsewhere_.empty()) local_members_.push_back(member);
    if (!is_local) {
      if (elsewhere_.empty()) {
        local_members_ = members_;
        is_local_.assign(members_.size(), true);
      }
      CountElsewhere(member, source);
    }
    if (!elsewhere_.empty()) is_local_.push_back(is_local);
    members_.push_back(member);
    numbers_.push_back(number);
  }

  // All, as often as they have joined.
  absl::Span<const Member> members() const { return members_; }
  // Those of this node.
  absl::Span<const Member> local_members() const {
    return elsewhere_.empty() ? members_ : local_members_;
  }
  // Whether members()[i] is one of those.
  bool IsLocal(size_t i) const { return elsewhere_.empty() || is_local_[i]; }
  // How many each other source knows of, in the order in which their first
  // members have joined.
  struct Elsewhere {
    GroupSource source;
    Member first;
    size_t count;
  };
  absl::Span<const Elsewhere> elsewhere() const { return elsewhere_; }
  // Of each of members(), what a choice by key goes by.
  absl::Span<const uint64_t> numbers() const { return numbers_; }
  // Grows with every change of any group.
  uint64_t version() const { return version_; }
  const Attribute& attribute() const { return attribute_; }

 private:
  void CountElsewhere(const Member& member, GroupSource source) {
    for (Elsewhere& known : elsewhere_) {
      if (known.source != source) continue;
      ++known.count;
      return;
    }
    elsewhere_.push_back({source, member, 1});
  }

  uint64_t version_;
  Attribute attribute_;
  std::vector<Member> members_;
  std::vector<uint64_t> numbers_;
  std::vector<Elsewhere> elsewhere_;
  // If there are others:
  std::vector<Member> local_members_;
  std::vector<bool> is_local_;
};

}  // namespace troupe

#endif  // TROUPE_REGISTRY_GROUP_VIEW_H_
