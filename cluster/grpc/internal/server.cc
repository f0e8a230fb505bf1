#include "troupe/cluster/grpc/internal/server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "grpc/grpc.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/grpc/internal/address.h"
#include "troupe/cluster/grpc/internal/channel_settings.h"
#include "troupe/cluster/grpc/internal/link_connection.h"

namespace troupe::internal {
namespace {

// Of which lanes are missing. Who opens ever more of them pushes out his own,
// and whoever needs longer to open three than he to open that many.
constexpr size_t kMaxGathering = 256;

// gRPC closes no connection that it is writing to, and has this set for those
// sockets only that it accepts by itself. A socket of Unix has no such option:
// see Break().
void BreakUnlessTaken(int socket, absl::Duration within) {
  const auto millis = static_cast<unsigned>(absl::ToInt64Milliseconds(within));
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &millis,
                     sizeof(millis));
}

}  // namespace

// A call that is awaited.
class Server::Call final : public Completion {
 public:
  explicit Call(Server& server)
      : server_(server), stream_(std::make_unique<AcceptedStream>()) {}

  void Await() {
    server_.service_.RequestCall(&stream_->context(), stream_->stream(),
                                 server_.queue_, server_.queue_,
                                 static_cast<Completion*>(this));
  }

 private:
  void OnDone(bool ok) override {
    server_.OnCall(std::move(stream_), ok);
    delete this;
  }

  Server& server_;
  std::unique_ptr<AcceptedStream> stream_;
};

// A call that is ended at once.
class Server::Refusal final : public Completion {
 public:
  Refusal(Server& server, std::unique_ptr<Stream> stream)
      : server_(server), stream_(std::move(stream)) {}

  void Finish(const absl::Status& why) {
    stream_->Finish(grpc::Status(static_cast<grpc::StatusCode>(why.code()),
                                 std::string(why.message())),
                    this);
  }

 private:
  void OnDone(bool) override {
    server_.Ended();
    delete this;
  }

  Server& server_;
  const std::unique_ptr<Stream> stream_;
};

absl::StatusOr<std::unique_ptr<Server>> Server::Start(Options options) {
  auto server = std::unique_ptr<Server>(new Server(std::move(options)));
  absl::Status status = server->Listen();
  if (!status.ok()) return status;
  return server;
}

absl::Status Server::Listen() {
  absl::StatusOr<Address> address = ParseAddress(options_.address);
  if (!address.ok()) return std::move(address).status();
  absl::StatusOr<std::unique_ptr<ListeningSocket>> socket =
      ListeningSocket::Bind(*address);
  if (!socket.ok()) return std::move(socket).status();

  grpc::ServerBuilder builder;
  SetListenSettings(options_.limits, builder);
  sockets_ = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
      options_.credentials);
  builder.RegisterAsyncGenericService(&service_);
  std::unique_ptr<grpc::ServerCompletionQueue> queue =
      builder.AddCompletionQueue();
  queue_ = queue.get();
  // Before the server, which goes before its queue.
  absl::StatusOr<std::unique_ptr<Poller>> poller =
      Poller::Start(*options_.threads, "grpc-server", std::move(queue));
  if (!poller.ok()) return std::move(poller).status();
  server_ = builder.BuildAndStart();
  absl::Status started =
      server_ == nullptr
          ? absl::UnavailableError(
                absl::StrCat("gRPC cannot listen at ", address->ToString()))
          : (*socket)->Start(*options_.threads,
                             [this](int accepted) { Take(accepted); });
  if (!started.ok()) {
    if (server_ != nullptr) server_->Shutdown();
    (*poller)->Shutdown();
    (*poller)->Join();
    server_.reset();
    return started;
  }
  poller_ = *std::move(poller);
  address_ = (*socket)->address().ToString();
  socket_ = *std::move(socket);
  AwaitCall();
  return absl::OkStatus();
}

// Under the lock, so that gRPC hears of none when it has been shut down.
void Server::Take(int socket) {
  absl::MutexLock lock(&mu_);
  if (!listening_) {
    // Another descriptor of it may be kept.
    ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return;
  }
  BreakUnlessTaken(socket, options_.limits.taken_within);
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters taken;
  taken.fd = socket;
  sockets_->HandleNewConnection(&taken);
}

void Server::AwaitUnused(absl::Duration within) {
  const MonotonicTime deadline = RealClock().Now() + within;
  absl::MutexLock lock(&mu_);
  while (users_ > 0 && !unused_.WaitWithDeadline(&mu_, deadline)) {
  }
}

void Server::Break() {
  // Without this, gRPC waits with a connection that has no calls any more for
  // the answer to a ping, up to 20 s.
  grpc_server_cancel_all_calls(server_->c_server());
  socket_->BreakTaken();
}

Server::~Server() {
  // Its thread may be in Take().
  socket_.reset();
  if (poller_ != nullptr) poller_->Join();
}

void Server::StopListening() {
  {
    absl::MutexLock lock(&mu_);
    if (!std::exchange(listening_, false)) return;
  }
  socket_->Stop();
  // That of the C++ library waits for all calls to end.
  grpc_server_shutdown_and_notify(
      server_->c_server(), queue_->cq(),
      static_cast<grpc::internal::CompletionQueueTag*>(&stopped_));
}

// Under the lock, so that none is awaited after the queue may have been shut
// down.
void Server::AwaitCall() {
  absl::MutexLock lock(&mu_);
  if (!listening_) return;
  ++users_;
  (new Call(*this))->Await();
}

void Server::OnCall(std::unique_ptr<AcceptedStream> stream, bool ok) {
  if (ok) {
    AwaitCall();
    const absl::StatusOr<LaneCall> call =
        FromContext(stream->context().method(), stream->context());
    if (call.ok()) {
      Gather(*call, std::move(stream));
    } else {
      Refuse(std::move(stream), call.status());
    }
  }
  Ended();
}

void Server::Refuse(std::unique_ptr<Stream> stream, const absl::Status& why) {
  Begun();
  (new Refusal(*this, std::move(stream)))->Finish(why);
}

void Server::Gather(const LaneCall& call,
                    std::unique_ptr<AcceptedStream> accepted) {
  const std::string peer = accepted->context().peer();
  // By the connection of TCP too: nobody can put a lane into one of somebody
  // else's.
  const std::string key = absl::StrCat(call.connection, " ", peer);
  std::unique_ptr<Stream> stream = std::move(accepted);
  if (!IsListening()) {
    Refuse(std::move(stream),
           absl::UnavailableError(
               absl::StrCat("nobody listens at ", address_, " any more")));
    return;
  }
  if (!gathering_.contains(key)) {
    if (gathering_.size() >= kMaxGathering) DropOldest();
    Begun();
    auto begun = std::make_shared<Link>(peer, options_.limits, queue_,
                                        [this, key](Link& over) {
                                          Forget(key, over);
                                          options_.links->Remove(over);
                                          Ended();
                                        });
    options_.links->Add(begun);
    gathering_[key] = {.link = std::move(begun), .number = ++begun_};
  }
  const std::shared_ptr<Link> link = gathering_[key].link;
  if (!link->AddLane(call.lane, stream)) {
    Refuse(std::move(stream),
           absl::InvalidArgumentError("the connection has that lane already"));
    return;
  }
  if (!link->HasAllLanes()) return;
  gathering_.erase(key);
  Offer(link);
}

void Server::DropOldest() {
  const auto oldest = std::min_element(
      gathering_.begin(), gathering_.end(), [](const auto& a, const auto& b) {
        return a.second.number < b.second.number;
      });
  const std::shared_ptr<Link> link = std::move(oldest->second.link);
  gathering_.erase(oldest);
  link->Close(absl::UnavailableError("too many connections begin here"));
}

void Server::Forget(const std::string& key, const Link& over) {
  const auto found = gathering_.find(key);
  // The same peer may have begun another one with that key.
  if (found != gathering_.end() && found->second.link.get() == &over) {
    gathering_.erase(found);
  }
}

void Server::Offer(const std::shared_ptr<Link>& link) {
  if (!IsListening()) {
    link->Accept(nullptr);
    return;
  }
  std::shared_ptr<ConnectionHandler> handler =
      options_.acceptor->OnAccept(std::make_unique<LinkConnection>(link));
  link->Accept(std::move(handler));
}

void Server::OnStopped() { Ended(); }

grpc::CompletionQueue* Server::LendQueue() {
  absl::MutexLock lock(&mu_);
  if (!listening_) return nullptr;
  ++users_;
  return queue_;
}

void Server::Ended() {
  {
    absl::MutexLock lock(&mu_);
    if (--users_ > 0) return;
    unused_.SignalAll();
  }
  server_->Shutdown();  // Does not wait any more.
  poller_->Shutdown();
}

}  // namespace troupe::internal
