#include "troupe/cluster/grpc/grpc_transport.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "grpc/grpc.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/grpc/internal/address.h"
#include "troupe/cluster/grpc/internal/channel_settings.h"
#include "troupe/cluster/grpc/internal/credentials.h"
#include "troupe/cluster/grpc/internal/lane_call.h"
#include "troupe/cluster/grpc/internal/link.h"
#include "troupe/cluster/grpc/internal/link_connection.h"
#include "troupe/cluster/grpc/internal/links.h"
#include "troupe/cluster/grpc/internal/poller.h"
#include "troupe/cluster/grpc/internal/server.h"
#include "troupe/cluster/grpc/internal/stream.h"

namespace troupe {
namespace {

constexpr size_t kMaxFrameBytes = size_t{64} << 20;
constexpr size_t kMinFrames = 8;
// gRPC counts with signed numbers.
constexpr size_t kMaxIncomingBytes = size_t{1} << 40;

// What is cancelled when lingering is over, ends so soon if it can.
constexpr absl::Duration kToCancel = absl::Seconds(1);

absl::Status CheckOptions(const GrpcTransportOptions& options) {
  if (options.max_frame_bytes == 0 ||
      options.max_frame_bytes > kMaxFrameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("frames of up to ", options.max_frame_bytes,
                     " bytes: choose 1 to ", kMaxFrameBytes));
  }
  if (options.max_incoming_bytes / kMinFrames < options.max_frame_bytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.max_incoming_bytes, " bytes that may come: choose at least ",
        kMinFrames, " frames of ", options.max_frame_bytes, " bytes"));
  }
  if (options.max_incoming_bytes > kMaxIncomingBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        options.max_incoming_bytes, " bytes that may come: choose at most ",
        kMaxIncomingBytes));
  }
  for (const absl::Duration limit :
       {options.open_within, options.linger, options.taken_within}) {
    if (limit <= absl::ZeroDuration() || limit > absl::Hours(1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("a limit of ", absl::FormatDuration(limit),
                       ": choose one up to an hour"));
    }
  }
  return absl::OkStatus();
}

// From the first transport on, gRPC stays with the process. Whoever takes it
// down waits for its threads; and the one that polls for sockets which took no
// more bytes, as with a long frame, hears for 10 s of nothing (gRPC 1.51).
void KeepGrpc() {
  [[maybe_unused]] static const bool kept = [] {
    grpc_init();
    return true;
  }();
}

}  // namespace

struct GrpcTransport::Parts {
  ThreadFactory* threads;
  internal::LinkLimits limits;
  internal::Links links;
  std::optional<TlsFiles> tls;

  // kFailedPrecondition: it needs TLS.
  absl::StatusOr<internal::Address> Parse(absl::string_view text) const {
    absl::StatusOr<internal::Address> address = internal::ParseAddress(text);
    if (!address.ok() || tls.has_value() || address->IsLocal()) return address;
    return absl::FailedPreconditionError(absl::StrCat(
        text,
        " is not of this machine alone, and without TLS anybody on the "
        "way could read and forge what is sent: set "
        "GrpcTransportOptions::tls"));
  }

  // Where a link that is dialled is polled, and what it is to do when it is
  // over. kResourceExhausted: there is no room for another thread.
  struct Place {
    grpc::CompletionQueue* queue;
    absl::AnyInvocable<void(internal::Link&) &&> over;
  };
  absl::StatusOr<Place> PlaceForDialled() ABSL_LOCKS_EXCLUDED(mu);

  absl::Mutex mu;
  // Takes out those servers that are over.
  std::vector<std::shared_ptr<internal::Server>> TakeOutEnded()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  // Also those that listen no more: their links may be there still.
  std::vector<std::shared_ptr<internal::Server>> servers ABSL_GUARDED_BY(mu);
  // Of what was dialled while nobody listened; null: nothing was.
  std::unique_ptr<internal::Poller> dialling ABSL_GUARDED_BY(mu);
};

// By who listens, if somebody does: gRPC waits for all sockets in whatever
// thread came first, and wakes that of the right queue. So one more thread is
// woken in vain for every other frame.
absl::StatusOr<GrpcTransport::Parts::Place>
GrpcTransport::Parts::PlaceForDialled() {
  absl::MutexLock lock(&mu);
  for (const auto& server : servers) {
    grpc::CompletionQueue* const queue = server->LendQueue();
    if (queue == nullptr) continue;
    return Place{queue, [this, server = server.get()](internal::Link& over) {
                   links.Remove(over);
                   server->ReturnQueue();
                 }};
  }
  if (dialling == nullptr) {
    absl::StatusOr<std::unique_ptr<internal::Poller>> started =
        internal::Poller::Start(*threads, "grpc-dial",
                                std::make_unique<grpc::CompletionQueue>());
    if (!started.ok()) return std::move(started).status();
    dialling = *std::move(started);
  }
  return Place{dialling->queue(),
               [this](internal::Link& over) { links.Remove(over); }};
}

std::vector<std::shared_ptr<internal::Server>>
GrpcTransport::Parts::TakeOutEnded() {
  const auto over = std::stable_partition(
      servers.begin(), servers.end(),
      [](const auto& server) { return !server->IsOver(); });
  std::vector<std::shared_ptr<internal::Server>> taken(
      std::make_move_iterator(over), std::make_move_iterator(servers.end()));
  servers.erase(over, servers.end());
  return taken;
}

class GrpcTransport::ServerListener final : public Listener {
 public:
  explicit ServerListener(const std::shared_ptr<internal::Server>& server)
      : server_(server), address_(server->address()) {}
  ~ServerListener() override {
    // The transport may be gone.
    if (const auto server = server_.lock()) server->StopListening();
  }

  std::string address() const override { return address_; }

 private:
  const std::weak_ptr<internal::Server> server_;
  const std::string address_;
};

absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::Create(
    const GrpcTransportOptions& options) {
  absl::Status status = CheckOptions(options);
  if (status.ok() && options.tls.has_value()) {
    status = ReadTlsFiles(*options.tls).status();
  }
  if (!status.ok()) return status;
  KeepGrpc();
  auto parts = std::make_unique<Parts>();
  parts->threads = options.threads;
  parts->limits = {
      .max_frame_bytes = options.max_frame_bytes,
      .max_incoming_bytes = options.max_incoming_bytes,
      .open_within = options.open_within,
      .linger = options.linger,
      // None at all would be the system's own: a quarter of an hour.
      .taken_within = std::max(options.taken_within, absl::Milliseconds(1))};
  parts->tls = options.tls;
  return std::unique_ptr<GrpcTransport>(new GrpcTransport(std::move(parts)));
}

GrpcTransport::GrpcTransport(std::unique_ptr<Parts> parts)
    : parts_(std::move(parts)) {}

GrpcTransport::~GrpcTransport() {
  std::vector<std::shared_ptr<internal::Server>> servers;
  {
    absl::MutexLock lock(&parts_->mu);
    servers = parts_->servers;
  }
  for (const auto& server : servers) server->StopListening();
  parts_->links.CloseAll(absl::UnavailableError("the transport is gone"));
  const MonotonicTime lingered =
      RealClock().Now() + parts_->limits.linger + kToCancel;
  const auto left = [lingered] { return lingered - RealClock().Now(); };
  parts_->links.AwaitNone(left());
  // A link that is over may still have its last bytes on the way.
  for (const auto& server : servers) server->AwaitUnused(left());
  // Those that take nothing, or say nothing, and calls that are no link's.
  for (const auto& server : servers) server->Break();
  parts_->links.AwaitNone();
  absl::MutexLock lock(&parts_->mu);
  if (parts_->dialling == nullptr) return;
  parts_->dialling->Shutdown();
  parts_->dialling->Join();
}

absl::StatusOr<std::unique_ptr<Listener>> GrpcTransport::Listen(
    absl::string_view address, std::shared_ptr<Acceptor> acceptor) {
  const absl::StatusOr<internal::Address> parsed = parts_->Parse(address);
  if (!parsed.ok()) return parsed.status();
  absl::StatusOr<std::unique_ptr<internal::Server>> started =
      internal::Server::Start(
          {.address = parsed->ToString(),
           .credentials = internal::ListenCredentials(parts_->tls),
           .limits = parts_->limits,
           .threads = parts_->threads,
           .links = &parts_->links,
           .acceptor = std::move(acceptor)});
  if (!started.ok()) return std::move(started).status();
  const std::shared_ptr<internal::Server> server = *std::move(started);
  // They wait for threads of theirs, which may want the lock.
  std::vector<std::shared_ptr<internal::Server>> over;
  absl::MutexLock lock(&parts_->mu);
  over = parts_->TakeOutEnded();
  parts_->servers.push_back(server);
  return std::make_unique<ServerListener>(server);
}

absl::StatusOr<std::unique_ptr<Connection>> GrpcTransport::Dial(
    absl::string_view address, std::shared_ptr<ConnectionHandler> handler) {
  const absl::StatusOr<internal::Address> parsed = parts_->Parse(address);
  if (!parsed.ok()) return parsed.status();
  const absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials =
      internal::DialCredentials(parts_->tls);
  if (!credentials.ok()) return credentials.status();
  absl::StatusOr<Parts::Place> place = parts_->PlaceForDialled();
  if (!place.ok()) return std::move(place).status();
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(parsed->ToTarget(), *credentials,
                                internal::DialSettings(parts_->limits)));
  internal::Link::Streams streams;
  const std::string key = internal::NewConnectionKey();
  for (int lane = 0; lane < kTransportLanes; ++lane) {
    streams[lane] = std::make_unique<internal::DialledStream>(
        stub, std::string(internal::kLaneMethod),
        internal::ToContext(
            {.lane = static_cast<TransportLane>(lane), .connection = key}),
        place->queue);
  }
  const auto link =
      std::make_shared<internal::Link>(std::string(address), parts_->limits,
                                       place->queue, std::move(place->over));
  parts_->links.Add(link);
  link->Dial(std::move(streams), std::move(handler));
  return std::make_unique<internal::LinkConnection>(link);
}

size_t GrpcTransport::max_frame_bytes() const {
  return parts_->limits.max_frame_bytes;
}

}  // namespace troupe
