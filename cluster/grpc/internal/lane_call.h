// What a call says of the lane that it is, in its metadata.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_LANE_CALL_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_LANE_CALL_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_context.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {

// The one method there is.
inline constexpr absl::string_view kLaneMethod = "/troupe.Cluster/Lane";

struct LaneCall {
  TransportLane lane = TransportLane::kControl;
  // Which connection it is of: drawn by who dials, anew each time.
  std::string connection;
};

// 128 bits that nobody can guess.
std::string NewConnectionKey();

std::unique_ptr<grpc::ClientContext> ToContext(const LaneCall& call);
// kUnimplemented: another method. kInvalidArgument: no metadata of a lane.
absl::StatusOr<LaneCall> FromContext(absl::string_view method,
                                     const grpc::ServerContextBase& context);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_LANE_CALL_H_
