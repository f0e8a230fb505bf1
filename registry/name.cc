#include "troupe/registry/name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

// Null: nothing.
const char* WhatIsWrongWith(absl::string_view name) {
  if (name.empty()) return "it is empty";
  if (name.size() > kMaxNameBytes) return "it has more than 255 bytes";
  if (std::any_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_iscntrl(static_cast<unsigned char>(c));
      })) {
    return "it contains a control character";
  }
  if (absl::StartsWith(name, "/") || absl::EndsWith(name, "/") ||
      absl::StrContains(name, "//")) {
    return "a part of it is empty";
  }
  if (absl::StartsWith(name, kReservedNames)) {
    return "names that begin with 'troupe.' are reserved";
  }
  return nullptr;
}

}  // namespace

absl::Status CheckName(absl::string_view name) {
  const char* const wrong = WhatIsWrongWith(name);
  if (wrong == nullptr) return absl::OkStatus();
  // Of a long one, enough to know it by.
  return absl::InvalidArgumentError(
      absl::StrCat("the name '", absl::CHexEscape(name.substr(0, 64)),
                   name.size() > 64 ? "..." : "", "': ", wrong));
}

absl::string_view ScopeOf(absl::string_view name) {
  const size_t slash = name.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view()
                                          : name.substr(0, slash);
}

}  // namespace troupe
