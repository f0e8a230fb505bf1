#include "troupe/cluster/internal/reassembly.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/cluster/internal/items.h"

namespace troupe::internal {

absl::StatusOr<std::optional<Pieces>> Reassembly::Add(uint64_t number,
                                                      uint64_t left,
                                                      absl::string_view part) {
  if (part.empty()) {
    return absl::DataLossError(absl::StrCat("an empty part of ", number));
  }
  auto found = wholes_.find(number);
  if (found == wholes_.end()) {
    if (number <= last_number_) {
      return absl::DataLossError(
          absl::StrCat("a part of ", number, ", which is over"));
    }
    if (wholes_.size() == kMaxUnderWayInParts) {
      return absl::ResourceExhaustedError(
          absl::StrCat("one more message begins, where ", wholes_.size(),
                       " messages are under way in parts"));
    }
    const uint64_t may_come = max_bytes_ - promised_bytes_;
    if (part.size() > may_come || left > may_come - part.size()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("a message of ", part.size(), " bytes and ", left,
                       " more begins, where ", may_come, " of ", max_bytes_,
                       " bytes may be under way"));
    }
    last_number_ = number;
    promised_bytes_ += part.size() + left;
    found = wholes_.try_emplace(number).first;
  } else if (part.size() > found->second.left ||
             left != found->second.left - part.size()) {
    return absl::DataLossError(
        absl::StrCat("a part of ", part.size(), " bytes with ", left,
                     " behind it, where ", found->second.left, " are to come"));
  }
  Whole& whole = found->second;
  whole.bytes.Append(part);
  whole.left = left;
  if (left != 0) return std::nullopt;
  Pieces bytes = std::move(whole.bytes);
  promised_bytes_ -= bytes.size();
  wholes_.erase(found);
  return bytes;
}

void Reassembly::Abandon(uint64_t number) {
  const auto found = wholes_.find(number);
  if (found == wholes_.end()) return;
  promised_bytes_ -= found->second.bytes.size() + found->second.left;
  wholes_.erase(found);
}

}  // namespace troupe::internal
