// A Transport between processes and machines, over gRPC.
//
//   absl::StatusOr<std::unique_ptr<GrpcTransport>> transport =
//       GrpcTransport::Create();
//   auto node = Node::Start(*system, {.name = "a",
//                                     .listen = "127.0.0.1:4000",
//                                     .transport = *std::move(transport),
//                                     .membership = *std::move(members)});
//
// Addresses are "host:port", "[::1]:port" and "unix:/path". Port 0, to listen,
// is one that is free.
//
// A connection has one stream for each lane, all in one connection of TCP; what
// was sent before it is closed arrives, unless the other end takes longer than
// `linger`.
//
// Ownership, Order, Thread safety: as Transport says. A thread for each
// listener, and one for what is dialled while nobody listens, call handlers and
// acceptors.
// Blocking: the destructor waits for the other ends, too: `linger` and a second
// at most, and `taken_within` for one that takes nothing of what is being
// written to it.
// Errors: kFailedPrecondition: the address is not of this machine alone, which
// needs TLS. kResourceExhausted at Listen() and Dial(): there is no room for
// another thread.
#ifndef TROUPE_CLUSTER_GRPC_GRPC_TRANSPORT_H_
#define TROUPE_CLUSTER_GRPC_GRPC_TRANSPORT_H_

#include <cstddef>
#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/cluster/grpc/tls.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe {

struct GrpcTransportOptions {
  // At most 64 MiB.
  size_t max_frame_bytes = size_t{4} << 20;
  // What has come to one listener in all, and is not a whole frame yet: gRPC
  // sees that a frame is too long when it has all of it. Who has this exceeded
  // loses the connection, and others may lose theirs: it saves the process. At
  // least 8 frames, at most 1 TiB.
  size_t max_incoming_bytes = size_t{1} << 30;
  // Until the other end has accepted what was dialled, and until all of what
  // begins to connect here has come.
  absl::Duration open_within = absl::Seconds(10);
  // How long an end that closes waits for the other one.
  absl::Duration linger = absl::Seconds(1);
  // How long the machine of the other end may take nothing of what was sent to
  // it, by its being away or by a process that reads nothing, until the
  // connection breaks. Longer than NodeOptions::silence, which then comes
  // first. Not over sockets of Unix: there the destructor breaks what was
  // accepted, and waits for what was dialled.
  absl::Duration taken_within = absl::Seconds(10);
  // How nodes know each other. Nothing: they do not, and what is sent could be
  // read on the way, so that only this machine can be reached.
  std::optional<TlsFiles> tls = {};
  ThreadFactory* threads = &RealThreadFactory();
};

class GrpcTransport final : public Transport {
 public:
  // kInvalidArgument: an option makes no sense. Errors of ReadTlsFiles().
  static absl::StatusOr<std::unique_ptr<GrpcTransport>> Create(
      const GrpcTransportOptions& options = {});
  GrpcTransport(const GrpcTransport&) = delete;
  GrpcTransport& operator=(const GrpcTransport&) = delete;
  ~GrpcTransport() override;

  absl::StatusOr<std::unique_ptr<Listener>> Listen(
      absl::string_view address, std::shared_ptr<Acceptor> acceptor) override;
  absl::StatusOr<std::unique_ptr<Connection>> Dial(
      absl::string_view address,
      std::shared_ptr<ConnectionHandler> handler) override;
  size_t max_frame_bytes() const override;

 private:
  struct Parts;
  class ServerListener;

  explicit GrpcTransport(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_GRPC_GRPC_TRANSPORT_H_
