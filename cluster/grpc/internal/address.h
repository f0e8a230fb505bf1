// Addresses of nodes: "host:port", "[::1]:port", or "unix:/path".
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_ADDRESS_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_ADDRESS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace troupe::internal {

struct Address {
  enum class Kind { kTcp, kUnix };
  Kind kind = Kind::kTcp;
  std::string host;   // Or the path.
  uint16_t port = 0;  // 0, to listen: one that is free.

  std::string ToString() const;
  // As gRPC wants it: what it dials is a URI.
  std::string ToTarget() const;
  // Whether nobody outside of this machine can be behind it, or reach it.
  bool IsLocal() const;
};

// kInvalidArgument: it is none of the forms above.
absl::StatusOr<Address> ParseAddress(absl::string_view text);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_ADDRESS_H_
