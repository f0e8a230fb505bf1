#include "troupe/cluster/grpc/internal/channel_settings.h"

#include <cstddef>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "grpc/compression.h"
#include "grpc/grpc.h"
#include "grpcpp/resource_quota.h"
#include "troupe/cluster/transport.h"

namespace troupe::internal {
namespace {

// A frame, and the byte that says what it is.
int MaxMessageBytes(const LinkLimits& limits) {
  return static_cast<int>(limits.max_frame_bytes) + 1;
}

// A lane's metadata are 100 bytes.
constexpr int kMaxMetadataBytes = 4096;

// Whoever has connected and says nothing is let go. gRPC's default: 2 minutes.
constexpr int kHandshakeMillis = 3000;

// ... and so is whoever has no call.
constexpr int kIdleMillis = 10'000;

// Sessions send heartbeats and notice silence by themselves: gRPC sends no
// pings besides. Its default for a listener is 2 hours.
constexpr int kNoKeepalive = std::numeric_limits<int>::max();

// Of who dials. With none at all gRPC does not set TCP_USER_TIMEOUT, which is
// what breaks a connection whose other end takes nothing: see server.cc. This
// is a ping in 24 days.
constexpr int kHardlyAnyKeepalive = kNoKeepalive - 1;

// gRPC would unpack what is compressed before it looks how long it is.
constexpr int kOnlyUncompressed = 1 << GRPC_COMPRESS_NONE;

// gRPC looks how long a message is when all of it is there, whatever its length
// is said to be: so much may be there of what has come to those who dialled. It
// is 16 of the longest frames that there can be.
constexpr size_t kMaxComeToDiallers = size_t{1} << 30;

// One for all, which stays: gRPC 1.51 never frees a connection that is still
// being closed when its quota goes.
const grpc::ResourceQuota& QuotaOfDiallers() {
  static const grpc::ResourceQuota* const quota = [] {
    auto* const created = new grpc::ResourceQuota("diallers");
    created->Resize(kMaxComeToDiallers);
    return created;
  }();
  return *quota;
}

}  // namespace

grpc::ChannelArguments DialSettings(const LinkLimits& limits) {
  grpc::ChannelArguments settings;
  // A connection is one of TCP: the next one must not be that which broke.
  settings.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Who tries again, and when, is decided above.
  settings.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  const int open_millis =
      static_cast<int>(absl::ToInt64Milliseconds(limits.open_within));
  settings.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, open_millis);
  settings.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, open_millis);
  // Addresses are those of nodes: neither the environment of the process nor
  // DNS has a say in what lies between.
  settings.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  settings.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  settings.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kHardlyAnyKeepalive);
  settings.SetInt(
      GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
      static_cast<int>(absl::ToInt64Milliseconds(limits.taken_within)));
  settings.SetInt(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  settings.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                  kOnlyUncompressed);
  settings.SetResourceQuota(QuotaOfDiallers());
  settings.SetMaxReceiveMessageSize(MaxMessageBytes(limits));
  settings.SetMaxSendMessageSize(MaxMessageBytes(limits));
  return settings;
}

void SetListenSettings(const LinkLimits& limits, grpc::ServerBuilder& builder) {
  // An address in use is an error, and not shared.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             kHandshakeMillis);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMillis);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kNoKeepalive);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kTransportLanes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  builder.AddChannelArgument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                             kOnlyUncompressed);
  grpc::ResourceQuota came("a listener");
  came.Resize(limits.max_incoming_bytes);
  builder.SetResourceQuota(came);
  builder.SetMaxReceiveMessageSize(MaxMessageBytes(limits));
  builder.SetMaxSendMessageSize(MaxMessageBytes(limits));
}

}  // namespace troupe::internal
