// A Transport within one process: frames are moved, not copied, from whoever
// sends to whoever receives.
//
//   InProcessNetwork network;
//   InProcessTransport a(network, system_a->executor());
//   InProcessTransport b(network, system_b->executor());
//   auto listener = b.Listen("b", acceptor);
//   auto connection = a.Dial("b", handler);
//
// Each node has a transport. Its handlers and acceptors are called in turns of
// the executor that it was given: the sender cannot call the receiver, since it
// may hold locks that this one takes; and a thread of the network's own would
// be one more that has to wake up. So the receiver's workers take the frames
// themselves, in turns of limited length, and on a deterministic executor the
// seed decides when.
//
// Order: a control frame that is there goes before the data, and data before
// bulk. What was sent before Close() arrives before the other end's OnClosed(),
// which has the status that the closer gave.
// Ownership: networks are values; a copy is the same network, and two that are
// not copies are apart. The network lives as long as its transports.
// Blocking: the destructor waits for handlers and acceptors, as Transport says.
// Cost: a lock for each frame; a turn, which costs one allocation, for as many
// frames as have come until it begins.
// Errors: an address is any name but the empty one.
#ifndef TROUPE_CLUSTER_IN_PROCESS_TRANSPORT_H_
#define TROUPE_CLUSTER_IN_PROCESS_TRANSPORT_H_

#include <cstddef>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/executor.h"

namespace troupe {
namespace internal {

class InProcessAddresses;
class InProcessHost;

}  // namespace internal

class InProcessNetwork {
 public:
  InProcessNetwork();

 private:
  friend class InProcessTransport;

  std::shared_ptr<internal::InProcessAddresses> addresses_;
};

class InProcessTransport final : public Transport {
 public:
  static constexpr size_t kMaxFrameBytes = size_t{4} << 20;

  // `executor` outlives the transport, and is not shut down before.
  InProcessTransport(const InProcessNetwork& network, Executor& executor);
  InProcessTransport(const InProcessTransport&) = delete;
  InProcessTransport& operator=(const InProcessTransport&) = delete;
  ~InProcessTransport() override;

  absl::StatusOr<std::unique_ptr<Listener>> Listen(
      absl::string_view address, std::shared_ptr<Acceptor> acceptor) override;
  absl::StatusOr<std::unique_ptr<Connection>> Dial(
      absl::string_view address,
      std::shared_ptr<ConnectionHandler> handler) override;
  size_t max_frame_bytes() const override { return kMaxFrameBytes; }

 private:
  const std::shared_ptr<internal::InProcessAddresses> addresses_;
  const std::shared_ptr<internal::InProcessHost> host_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_IN_PROCESS_TRANSPORT_H_
