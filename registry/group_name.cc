#include "troupe/registry/group_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr size_t kMaxBytes = 255;

absl::Status CheckPart(absl::string_view what, absl::string_view text) {
  if (text.size() > kMaxBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the ", what, " of a group has ", text.size(), " bytes; the most is ",
        kMaxBytes, ": '", absl::CHexEscape(text.substr(0, 32)), "...'"));
  }
  if (std::any_of(text.begin(), text.end(), absl::ascii_iscntrl)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the ", what, " of a group has a control character: '",
                     absl::CHexEscape(text), "'"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string GroupName::ToString() const {
  return scope.empty() ? name : absl::StrCat(scope, "/", name);
}

absl::Status CheckGroupName(GroupNameView group) {
  if (group.name.empty()) {
    return absl::InvalidArgumentError("the name of a group is empty");
  }
  absl::Status status = CheckPart("name", group.name);
  status.Update(CheckPart("scope", group.scope));
  return status;
}

}  // namespace troupe
