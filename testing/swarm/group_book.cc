#include "troupe/testing/swarm/group_book.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::swarm {

void GroupBook::Joined(size_t group, Number member) {
  ++times_[{group, member}];
  journal_.Note(What::kJoins, member, 0, group);
}

void GroupBook::Left(size_t group, Number member, size_t times) {
  times_[{group, member}] -= static_cast<int64_t>(times);
  journal_.Note(What::kLeaves, member, 0, group);
}

void GroupBook::CheckAtRest(size_t group, absl::Span<const Number> members) {
  std::map<Number, int64_t> listed;
  for (const Number member : members) {
    if (member == 0) continue;
    ++listed[member];
    if (lives_.has_ended(member)) Break(member, "who has ended is no member");
  }
  for (const auto& [entry, times] : times_) {
    const auto& [in, member] = entry;
    if (in != group || !lives_.is_alive(member)) continue;
    if (listed[member] != times) {
      Break(member, "a member is listed as often as it has joined");
    }
    listed.erase(member);
  }
  for (const auto& [member, times] : listed) {
    if (times != 0) Break(member, "who has not joined is no member");
  }
}

void GroupBook::CheckAllAtRest() {
  if (handled_ > taken_ || handled_ + mourned_ < taken_) {
    Break(0, "what is sent to all is handled by each, or a dead letter");
  }
}

void GroupBook::Break(Number number, std::string_view rule) {
  journal_.Break(kName,
                 absl::StrCat("#", number, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
