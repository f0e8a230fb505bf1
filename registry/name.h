// What names of actors look like.
//
// A name is 1 to 255 bytes without control characters. The part before its last
// slash, if it has one, is its scope, in which it is listed; names without a
// slash are in the scope "". No part between slashes is empty.
//
//   "clock"               in the scope ""
//   "billing/eu/ledger"   in the scope "billing/eu"
//
// Names that begin with "troupe." are the runtime's own.
#ifndef TROUPE_REGISTRY_NAME_H_
#define TROUPE_REGISTRY_NAME_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

inline constexpr size_t kMaxNameBytes = 255;
inline constexpr absl::string_view kReservedNames = "troupe.";

// kInvalidArgument: an actor may not have that name; says why.
absl::Status CheckName(absl::string_view name);

// A part of `name`.
absl::string_view ScopeOf(absl::string_view name);

}  // namespace troupe

#endif  // TROUPE_REGISTRY_NAME_H_
