// What both ends of a connection set of gRPC, and why. What is not named has
// gRPC's own default.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_CHANNEL_SETTINGS_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_CHANNEL_SETTINGS_H_

#include "grpcpp/server_builder.h"
#include "grpcpp/support/channel_arguments.h"
#include "troupe/cluster/grpc/internal/link.h"

namespace troupe::internal {

grpc::ChannelArguments DialSettings(const LinkLimits& limits);
void SetListenSettings(const LinkLimits& limits, grpc::ServerBuilder& builder);

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_CHANNEL_SETTINGS_H_
