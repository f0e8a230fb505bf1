// Accepts the connections to one address.
//
// The lanes of a connection come as calls of their own, in any order. They are
// gathered by the key that all of them have, and by where they come from; when
// all are there, the acceptor is asked.
//
// Listening ends before the server does: what was accepted stays.
#ifndef TROUPE_CLUSTER_GRPC_INTERNAL_SERVER_H_
#define TROUPE_CLUSTER_GRPC_INTERNAL_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/async_generic_service.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "troupe/base/cond_var.h"
#include "troupe/cluster/grpc/internal/lane_call.h"
#include "troupe/cluster/grpc/internal/link.h"
#include "troupe/cluster/grpc/internal/links.h"
#include "troupe/cluster/grpc/internal/listening_socket.h"
#include "troupe/cluster/grpc/internal/poller.h"
#include "troupe/cluster/grpc/internal/stream.h"
#include "troupe/cluster/transport.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::internal {

class Server final {
 public:
  struct Options {
    std::string address;
    std::shared_ptr<grpc::ServerCredentials> credentials;
    LinkLimits limits;
    ThreadFactory* threads = nullptr;
    Links* links = nullptr;  // Outlives the server.
    std::shared_ptr<Acceptor> acceptor;
  };

  // kAlreadyExists, kInvalidArgument: of the address. kResourceExhausted: there
  // is no room for another thread.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Options options);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  // REQUIRES: StopListening() was called, and its links are over.
  ~Server();

  // With the port that was chosen.
  const std::string& address() const { return address_; }

  // Frees the address; the acceptor hears nothing any more but what it is
  // hearing. Any thread; more than one call does nothing.
  void StopListening() ABSL_LOCKS_EXCLUDED(mu_);

  // Until all links, calls and connections are over, by what both ends say.
  // REQUIRES: StopListening() was called.
  void AwaitUnused(absl::Duration within) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends all connections, whatever their other ends take and say; but one of
  // TCP that is being written to breaks after `taken_within`. REQUIRES:
  // StopListening() was called.
  void Break();

  // Listening has ended, and nothing uses the queue any more: it may be
  // destroyed by any thread.
  bool IsOver() const { return poller_->IsOver(); }

  // Lets a link that is dialled use the queue, until it is over: then
  // ReturnQueue() is called, by the poller's thread. Null: nobody listens here
  // any more.
  grpc::CompletionQueue* LendQueue() ABSL_LOCKS_EXCLUDED(mu_);
  void ReturnQueue() ABSL_LOCKS_EXCLUDED(mu_) { Ended(); }

 private:
  class Call;
  class Refusal;
  class Accepted;

  // The tag of gRPC's core, which knows nothing of that of its C++ library.
  class Stopped final : public grpc::internal::CompletionQueueTag,
                        private Completion {
   public:
    explicit Stopped(Server* server) : server_(server) {}

    bool FinalizeResult(void** tag, bool*) override {
      *tag = static_cast<Completion*>(this);
      return true;
    }

   private:
    void OnDone(bool) override { server_->OnStopped(); }

    Server* const server_;
  };

  explicit Server(Options options) : options_(std::move(options)) {}

  absl::Status Listen();
  // Of a socket that has connected.
  void Take(int socket) ABSL_LOCKS_EXCLUDED(mu_);

  // -- in the poller's thread
  void OnCall(std::unique_ptr<AcceptedStream> stream, bool ok);
  void Refuse(std::unique_ptr<Stream> stream, const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_);
  void Gather(const LaneCall& call, std::unique_ptr<AcceptedStream> stream);
  // Makes room for one more. REQUIRES: some are gathering.
  void DropOldest();
  void Forget(const std::string& key, const Link& over);
  void Offer(const std::shared_ptr<Link>& link);
  void OnStopped();
  // Something that used the queue is over.
  void Ended() ABSL_LOCKS_EXCLUDED(mu_);

  // Something begins to use the queue, which another user keeps.
  void Begun() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ++users_;
  }
  void AwaitCall() ABSL_LOCKS_EXCLUDED(mu_);
  bool IsListening() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return listening_;
  }

  const Options options_;
  std::string address_;
  grpc::AsyncGenericService service_;
  grpc::ServerCompletionQueue* queue_ = nullptr;  // The poller's.
  std::unique_ptr<Poller> poller_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> sockets_;
  std::unique_ptr<ListeningSocket> socket_;  // Its thread uses all of these.
  Stopped stopped_{this};

  // Of the poller's thread: those links of which lanes are missing, by key.
  struct Gathering {
    std::shared_ptr<Link> link;
    uint64_t number = 0;  // In the order in which they began.
  };
  absl::flat_hash_map<std::string, Gathering> gathering_;
  uint64_t begun_ = 0;

  mutable absl::Mutex mu_;
  CondVar unused_;
  bool listening_ ABSL_GUARDED_BY(mu_) = true;
  // What uses the queue: links, calls, refusals, and listening itself.
  int users_ ABSL_GUARDED_BY(mu_) = 1;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_GRPC_INTERNAL_SERVER_H_
