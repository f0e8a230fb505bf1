#include "troupe/cluster/node_id.h"

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

constexpr size_t kMaxBytes = 255;

}  // namespace

absl::Status CheckNodeName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name of a node has 1 to ", kMaxBytes,
                     " characters, not ", name.size()));
  }
  for (const char c : name) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' &&
        c != '_' && c != '.' && c != ':') {
      return absl::InvalidArgumentError(
          absl::StrCat("the name of a node, \"", absl::CHexEscape(name),
                       "\", has letters, digits, '-', '_', '.' and ':' only"));
    }
  }
  return absl::OkStatus();
}

}  // namespace troupe
