// A node's end of the network, for tests, and peers that are none: plain
// sockets, and calls of gRPC that say what no node says.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_PEERS_TESTING_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_PEERS_TESTING_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpc/compression.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/status.h"
#include "troupe/cluster/grpc/grpc_transport.h"
#include "troupe/cluster/transport.h"

namespace troupe::testing {

// Says every frame again, and notes how its connections end.
class Echo final : public Acceptor, public std::enable_shared_from_this<Echo> {
 public:
  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override;

  size_t accepted() const ABSL_LOCKS_EXCLUDED(mu_);
  // How those that are over have ended, in that order.
  std::vector<absl::Status> ends() const ABSL_LOCKS_EXCLUDED(mu_);
  size_t frames() const ABSL_LOCKS_EXCLUDED(mu_);
  size_t longest_frame() const ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the oldest connection that is not over.
  void CloseFirst(const absl::Status& why);

 private:
  class Heard;

  mutable absl::Mutex mu_;
  std::vector<std::shared_ptr<Heard>> heard_ ABSL_GUARDED_BY(mu_);
  std::vector<absl::Status> ends_ ABSL_GUARDED_BY(mu_);
  size_t frames_ ABSL_GUARDED_BY(mu_) = 0;
  size_t longest_frame_ ABSL_GUARDED_BY(mu_) = 0;
};

// A transport at which an Echo listens, and one of a good peer.
class EchoServer {
 public:
  explicit EchoServer(const GrpcTransportOptions& options = {},
                      const GrpcTransportOptions& good_peer = {});

  const std::string& address() const { return address_; }
  Echo& echo() { return *echo_; }
  // Whether a good peer that comes now is heard, and answered.
  bool ServesGoodPeers();

 private:
  const std::unique_ptr<GrpcTransport> listening_;
  const std::unique_ptr<GrpcTransport> dialling_;
  const std::shared_ptr<Echo> echo_;
  const std::unique_ptr<Listener> listener_;
  const std::string address_;
};

// A socket.
class RawPeer {
 public:
  RawPeer();
  // Connected to "127.0.0.1:port".
  explicit RawPeer(absl::string_view address) : RawPeer() { Connect(address); }
  // Connected to a socket of Unix.
  static RawPeer ToUnix(const std::string& path);
  // Of a socket that is there.
  explicit RawPeer(int socket) : socket_(socket) {}
  RawPeer(RawPeer&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)) {}
  ~RawPeer();

  int socket() const { return socket_; }
  void Connect(absl::string_view address);
  // Listens at "127.0.0.1:port", which is returned.
  std::string Listen();
  // Who has connected; waits for that.
  RawPeer Accept();
  // Waits until the other end takes it, or has closed: then it is false.
  bool Write(absl::string_view bytes);
  // Says it over and over, and reads nothing, until the other end takes no more
  // of it for half a second. False: the other end has closed.
  bool Stuff(absl::string_view bytes);
  // So many that come; waits for them.
  std::string Read(size_t bytes);
  // Reads what is there. False: the other end has closed.
  bool IsOpen();

 private:
  int socket_;
};

// Until the other ends of all have closed; false if that takes more than a
// minute. `drip`: those that are still open write one more byte of it to the
// other end every quarter of a second, over and over.
bool AwaitAllClosed(std::vector<RawPeer>& peers, absl::string_view drip = {});

// One call, as a client makes it. Each function waits for what it does.
class RawCall {
 public:
  using Metadata = std::vector<std::pair<std::string, std::string>>;

  struct Options {
    // Then it ends with DEADLINE_EXCEEDED.
    absl::Duration within = absl::Minutes(1);
    grpc_compression_algorithm compression = GRPC_COMPRESS_NONE;
  };

  RawCall(const std::shared_ptr<grpc::Channel>& channel,
          const std::string& method, const Metadata& metadata,
          const Options& options);
  RawCall(const std::shared_ptr<grpc::Channel>& channel,
          const std::string& method, const Metadata& metadata)
      : RawCall(channel, method, metadata, Options()) {}
  RawCall(const RawCall&) = delete;
  RawCall& operator=(const RawCall&) = delete;
  // Gives up what is left of it.
  ~RawCall();

  // False: the call has ended, or could not begin.
  bool Start();
  bool Write(std::string bytes);
  // What comes; nothing: it has ended.
  std::optional<std::string> Read();
  // How it ends, when the other end says so.
  grpc::Status Finish();

 private:
  bool Await();

  grpc::ClientContext context_;
  grpc::CompletionQueue queue_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  bool finished_ = false;
};

// What makes a call a lane of the connection that is called so; as long as a
// key of ours.
RawCall::Metadata LaneOf(int lane, absl::string_view connection);

// Descriptors that this process has open.
size_t OpenFiles();

}  // namespace troupe::testing

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_PEERS_TESTING_H_
