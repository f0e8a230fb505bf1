#include "troupe/registry/group.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace troupe::internal {

bool GroupProtocol::Includes(const GroupProtocol& other) const {
  if (messages_.data() == other.messages_.data() &&
      messages_.size() == other.messages_.size()) {
    return true;
  }
  return std::all_of(other.messages_.begin(), other.messages_.end(),
                     [this](const MessageType* message) {
                       return std::find(messages_.begin(), messages_.end(),
                                        message) != messages_.end();
                     });
}

std::string GroupProtocol::ToString() const {
  return absl::StrCat(
      "{",
      absl::StrJoin(messages_, ", ",
                    [](std::string* out, const MessageType* message) {
                      out->append(message->name);
                    }),
      "}");
}

absl::Status WrongGroupProtocol(const GroupName& group,
                                const GroupProtocol& has,
                                const GroupProtocol& wanted) {
  return absl::FailedPreconditionError(
      absl::StrCat("the members of the group '", group.ToString(), "' take ",
                   has.ToString(), ", and not ", wanted.ToString()));
}

}  // namespace troupe::internal
