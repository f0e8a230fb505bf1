// What parsing a message of protobuf allocates, reckoned from its bytes alone:
// never less than it does.
//
// Thread safety: any thread.
#ifndef TROUPE_CLUSTER_PROTOBUF_INTERNAL_PARSE_MEMORY_H_
#define TROUPE_CLUSTER_PROTOBUF_INTERNAL_PARSE_MEMORY_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/descriptor.h"

namespace troupe::internal {

// kDataLoss: they are no message, or one whose parts lie more than kMaxDepth
// deep within each other.
absl::StatusOr<size_t> ParseMemory(
    absl::string_view bytes, const google::protobuf::Descriptor& descriptor);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_PROTOBUF_INTERNAL_PARSE_MEMORY_H_
