#include "troupe/cluster/grpc/internal/peers_testing.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "grpcpp/support/slice.h"
#include "troupe/base/check.h"
#include "troupe/cluster/grpc/internal/grpc_testing.h"

namespace troupe::testing {
namespace {

// What takes longer never ends.
constexpr absl::Duration kForever = absl::Minutes(1);
constexpr int kForeverMillis = 60'000;
constexpr int kStuffedMillis = 500;
constexpr absl::Duration kDripEvery = absl::Milliseconds(250);

// The good peer's: whether it has been answered.
class Answered final : public ConnectionHandler {
 public:
  void OnFrame(TransportLane, std::string) override {
    absl::MutexLock lock(&mu_);
    answered_ = true;
  }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status&) override {
    absl::MutexLock lock(&mu_);
    closed_ = true;
  }
  bool Await() {
    absl::MutexLock lock(&mu_);
    const auto over = [this] {
      mu_.AssertReaderHeld();
      return answered_ || closed_;
    };
    mu_.AwaitWithTimeout(absl::Condition(&over), kForever);
    return answered_;
  }

 private:
  absl::Mutex mu_;
  bool answered_ ABSL_GUARDED_BY(mu_) = false;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace

// -- the node's end -----------------------------------------------------------

class Echo::Heard final : public ConnectionHandler {
 public:
  Heard(std::shared_ptr<Echo> echo, std::unique_ptr<Connection> connection)
      : echo_(std::move(echo)), connection_(std::move(connection)) {}

  void OnFrame(TransportLane lane, std::string frame) override {
    {
      absl::MutexLock lock(&echo_->mu_);
      ++echo_->frames_;
      echo_->longest_frame_ = std::max(echo_->longest_frame_, frame.size());
    }
    connection_->Send(lane, std::move(frame));
  }
  void OnSent(TransportLane, size_t) override {}
  void OnClosed(const absl::Status& why) override {
    absl::MutexLock lock(&echo_->mu_);
    echo_->ends_.push_back(why);
    auto& heard = echo_->heard_;
    heard.erase(std::find_if(heard.begin(), heard.end(),
                             [this](auto& one) { return one.get() == this; }));
  }

  Connection& connection() { return *connection_; }

 private:
  const std::shared_ptr<Echo> echo_;
  const std::unique_ptr<Connection> connection_;
};

std::shared_ptr<ConnectionHandler> Echo::OnAccept(
    std::unique_ptr<Connection> connection) {
  auto heard =
      std::make_shared<Heard>(shared_from_this(), std::move(connection));
  absl::MutexLock lock(&mu_);
  heard_.push_back(heard);
  return heard;
}

size_t Echo::accepted() const {
  absl::MutexLock lock(&mu_);
  return heard_.size() + ends_.size();
}

std::vector<absl::Status> Echo::ends() const {
  absl::MutexLock lock(&mu_);
  return ends_;
}

size_t Echo::frames() const {
  absl::MutexLock lock(&mu_);
  return frames_;
}

size_t Echo::longest_frame() const {
  absl::MutexLock lock(&mu_);
  return longest_frame_;
}

void Echo::CloseFirst(const absl::Status& why) {
  std::shared_ptr<Heard> first;
  {
    absl::MutexLock lock(&mu_);
    TROUPE_CHECK(!heard_.empty(), "a connection is there");
    first = heard_.front();
  }
  first->connection().Close(why);
}

EchoServer::EchoServer(const GrpcTransportOptions& options,
                       const GrpcTransportOptions& good_peer)
    : listening_(GrpcTransport::Create(options).value()),
      dialling_(GrpcTransport::Create(good_peer).value()),
      echo_(std::make_shared<Echo>()),
      listener_(listening_->Listen("127.0.0.1:0", echo_).value()),
      address_(listener_->address()) {}

bool EchoServer::ServesGoodPeers() {
  const auto answered = std::make_shared<Answered>();
  const std::unique_ptr<Connection> connection =
      dialling_->Dial(address_, answered).value();
  connection->Send(TransportLane::kData, "good");
  return answered->Await();
}

// -- sockets ------------------------------------------------------------------

RawPeer::RawPeer() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  TROUPE_CHECK(socket_ >= 0, "a test needs a socket");
}

void RawPeer::Connect(absl::string_view address) {
  sockaddr_in where = {};
  int port = 0;
  const bool is_port =
      absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port);
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  where.sin_port = htons(static_cast<uint16_t>(port));
  const bool connected = is_port &&
                         ::connect(socket_, reinterpret_cast<sockaddr*>(&where),
                                   sizeof(where)) == 0 &&
                         ::fcntl(socket_, F_SETFL, O_NONBLOCK) == 0;
  TROUPE_CHECK(connected, "a test connects");
}

RawPeer::~RawPeer() {
  if (socket_ >= 0) ::close(socket_);
}

RawPeer RawPeer::ToUnix(const std::string& path) {
  RawPeer peer(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un where = {};
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, path.data(), path.size());
  const bool connected =
      ::connect(peer.socket(), reinterpret_cast<sockaddr*>(&where),
                sizeof(where)) == 0 &&
      ::fcntl(peer.socket(), F_SETFL, O_NONBLOCK) == 0;
  TROUPE_CHECK(connected, "a test connects");
  return peer;
}

std::string RawPeer::Listen() {
  sockaddr_in where = {};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(where);
  auto* const any = reinterpret_cast<sockaddr*>(&where);
  const bool listens = ::bind(socket_, any, size) == 0 &&
                       ::listen(socket_, SOMAXCONN) == 0 &&
                       ::getsockname(socket_, any, &size) == 0;
  TROUPE_CHECK(listens, "a test listens");
  return absl::StrCat("127.0.0.1:", ntohs(where.sin_port));
}

RawPeer RawPeer::Accept() {
  RawPeer accepted(
      ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  TROUPE_CHECK(accepted.socket() >= 0, "a test is connected to");
  return accepted;
}

bool RawPeer::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    if (errno != EAGAIN) return false;
    pollfd writable = {.fd = socket_, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kForeverMillis) != 1) return false;
  }
  return true;
}

bool RawPeer::Stuff(absl::string_view bytes) {
  for (size_t next = 0;;) {
    const ssize_t sent =
        ::send(socket_, bytes.data() + next, bytes.size() - next, MSG_NOSIGNAL);
    if (sent > 0) {
      next = (next + static_cast<size_t>(sent)) % bytes.size();
      continue;
    }
    if (errno != EAGAIN) return false;
    pollfd writable = {.fd = socket_, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kStuffedMillis) == 0) return true;
  }
}

std::string RawPeer::Read(size_t bytes) {
  std::string read(bytes, '\0');
  for (size_t got = 0; got < bytes;) {
    pollfd readable = {.fd = socket_, .events = POLLIN, .revents = 0};
    const ssize_t more =
        ::poll(&readable, 1, kForeverMillis) == 1
            ? ::recv(socket_, read.data() + got, bytes - got, MSG_DONTWAIT)
            : 0;
    TROUPE_CHECK(more > 0, "a test hears more");
    got += static_cast<size_t>(more);
  }
  return read;
}

bool RawPeer::IsOpen() {
  char bytes[4096];
  ssize_t got = 0;
  do {
    got = ::recv(socket_, bytes, sizeof(bytes), MSG_DONTWAIT);
  } while (got > 0);
  return got < 0 && errno == EAGAIN;
}

bool AwaitAllClosed(std::vector<RawPeer>& peers, absl::string_view drip) {
  std::vector<RawPeer*> open;
  for (RawPeer& peer : peers) open.push_back(&peer);
  const absl::Time until = absl::Now() + kForever;
  absl::Time next_drip = absl::Now();
  for (size_t dripped = 0; absl::Now() < until;) {
    std::vector<pollfd> waits;
    for (const RawPeer* peer : open) {
      waits.push_back({.fd = peer->socket(), .events = POLLIN, .revents = 0});
    }
    (void)::poll(waits.data(), waits.size(),
                 static_cast<int>(absl::ToInt64Milliseconds(kDripEvery)));
    open.erase(std::remove_if(open.begin(), open.end(),
                              [](RawPeer* peer) { return !peer->IsOpen(); }),
               open.end());
    if (open.empty()) return true;
    if (drip.empty() || absl::Now() < next_drip) continue;
    next_drip = absl::Now() + kDripEvery;
    for (RawPeer* peer : open) {
      (void)peer->Write(drip.substr(dripped % drip.size(), 1));
    }
    ++dripped;
  }
  return false;
}

// -- calls --------------------------------------------------------------------

RawCall::RawCall(const std::shared_ptr<grpc::Channel>& channel,
                 const std::string& method, const Metadata& metadata,
                 const Options& options) {
  context_.set_deadline(absl::ToChronoTime(absl::Now() + options.within));
  context_.set_compression_algorithm(options.compression);
  for (const auto& [key, value] : metadata) context_.AddMetadata(key, value);
  grpc::GenericStub stub(channel);
  stream_ = stub.PrepareCall(&context_, method, &queue_);
}

RawCall::~RawCall() {
  context_.TryCancel();
  if (!finished_) (void)Finish();
  queue_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool RawCall::Start() {
  stream_->StartCall(this);
  return Await();
}

bool RawCall::Write(std::string bytes) {
  const grpc::Slice slice(std::move(bytes));
  stream_->Write(grpc::ByteBuffer(&slice, 1), this);
  return Await();
}

std::optional<std::string> RawCall::Read() {
  grpc::ByteBuffer message;
  stream_->Read(&message, this);
  if (!Await()) return std::nullopt;
  std::vector<grpc::Slice> slices;
  TROUPE_CHECK(message.Dump(&slices).ok(), "a message has bytes");
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

grpc::Status RawCall::Finish() {
  grpc::Status status;
  stream_->Finish(&status, this);
  (void)Await();
  finished_ = true;
  return status;
}

bool RawCall::Await() {
  void* tag = nullptr;
  bool ok = false;
  TROUPE_CHECK(queue_.Next(&tag, &ok), "the queue is not shut down");
  return ok;
}

RawCall::Metadata LaneOf(int lane, absl::string_view connection) {
  std::string key(connection);
  key.resize(32, '-');
  return {{"troupe-lane", absl::StrCat(lane)}, {"troupe-connection", key}};
}

size_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

}  // namespace troupe::testing
