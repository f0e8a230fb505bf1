// How frames lie in messages of gRPC: a frame, and behind it one byte that says
// what it is.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_FRAMES_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_FRAMES_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/support/byte_buffer.h"

namespace troupe::internal {

enum class FrameKind : char {
  // What Connection::Send() was given.
  kFrame = 0,
  // The last of the control lane: with what the sender closed. A byte with the
  // code, and the message.
  kGoodbye = 1,
};

// The message does not copy the frame.
grpc::ByteBuffer ToMessage(std::string frame, FrameKind kind);
// Takes the kind off. kDataLoss: there is none.
absl::StatusOr<FrameKind> FromMessage(const grpc::ByteBuffer& message,
                                      std::string& frame);

std::string EncodeGoodbye(const absl::Status& why);
// What cannot be a goodbye is kDataLoss.
absl::Status DecodeGoodbye(absl::string_view frame);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_FRAMES_H_
