#include "troupe/cluster/node.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/internal/event_hub.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/internal/asked_type.h"
#include "troupe/cluster/internal/exports.h"
#include "troupe/cluster/internal/spawn_request.h"

namespace troupe {
namespace {

// An extension of the system: so what actors need outlives them.
template <typename T>
struct Kept {
  explicit Kept(ActorSystem&) {}
  std::shared_ptr<T> object;
};

constexpr uint64_t kMaxKept = uint64_t{1} << 30;
constexpr size_t kMaxClusterBytes = 255;
constexpr uint64_t kMaxOutboxMessages = uint64_t{1} << 40;
constexpr absl::Duration kLeastHeartbeat = absl::Milliseconds(1);
constexpr uint64_t kMaxMessageBytes = uint64_t{1} << 40;

absl::Status CheckLimit(absl::string_view name, uint64_t value, uint64_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(name, " is ", value, ", and must be from 1 to ", most));
}

absl::Status Check(const NodeOptions& options) {
  if (absl::Status status = CheckNodeName(options.name); !status.ok()) {
    return status;
  }
  if (options.cluster.size() > kMaxClusterBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the name of the cluster has ", options.cluster.size(),
                     " bytes, and may have ", kMaxClusterBytes));
  }
  if (options.transport == nullptr || options.membership == nullptr) {
    return absl::InvalidArgumentError(
        "a node needs a transport and a membership provider");
  }
  if (options.heartbeat < kLeastHeartbeat) {
    return absl::InvalidArgumentError(absl::StrCat(
        "heartbeat is ", absl::FormatDuration(options.heartbeat),
        ", and must be ", absl::FormatDuration(kLeastHeartbeat), " or more"));
  }
  if (options.silence < 3 * options.heartbeat) {
    return absl::InvalidArgumentError(absl::StrCat(
        "heartbeats every ", absl::FormatDuration(options.heartbeat),
        " and a silence of ", absl::FormatDuration(options.silence),
        ": the silence must be at least three times as long"));
  }
  if (const internal::DialOptions& dial = options.dial;
      dial.first_pause <= absl::ZeroDuration() ||
      dial.first_pause > dial.longest_pause) {
    return absl::InvalidArgumentError(absl::StrCat(
        "dial.first_pause is ", absl::FormatDuration(dial.first_pause),
        ", and must be more than 0 and at most dial.longest_pause, ",
        absl::FormatDuration(dial.longest_pause)));
  }
  if (const size_t bytes = options.transport->max_frame_bytes();
      bytes < internal::kMinFrameBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the transport has frames of ", bytes,
                     " bytes: a node needs ", internal::kMinFrameBytes));
  }
  absl::Status status = CheckLimit("outbox_messages", options.outbox_messages,
                                   kMaxOutboxMessages);
  status.Update(CheckLimit("kept_for_peer", options.kept_for_peer, kMaxKept));
  status.Update(CheckLimit("max_message_bytes", options.max_message_bytes,
                           kMaxMessageBytes));
  return status;
}

// Later ones are greater, and two within a millisecond differ.
uint64_t IncarnationOf(ActorSystem& system) {
  constexpr int kRandomBits = 20;
  const auto ms = static_cast<uint64_t>(absl::ToUnixMillis(absl::Now()));
  return (ms << kRandomBits) |
         (system.core()->RandomNumber() >> (64 - kRandomBits));
}

}  // namespace

class Node::Observer final : public internal::SessionObserver {
 public:
  explicit Observer(ActorSystem& system)
      : system_(system),
        dial_failed_(
            system.Get<internal::ExtensionChannel<DialFailed>>().channel),
        refused_(system.Get<internal::ExtensionChannel<ConnectionRefused>>()
                     .channel),
        up_(system.Get<internal::ExtensionChannel<NodeUp>>().channel),
        down_(system.Get<internal::ExtensionChannel<NodeDown>>().channel),
        lost_(system.Get<internal::ExtensionChannel<SubscriptionLost>>()
                  .channel) {}

  void OnDialFailed(const std::string& name, const absl::Status& why) override {
    if (IsNews(name, why)) {
      system_.logger().Log(
          LogSeverity::kWarning,
          absl::StrCat("there is no session with '", name,
                       "', which will be dialled again: ", why.ToString()));
    }
    if (dial_failed_.HasSubscribers()) {
      dial_failed_.Publish(DialFailed{name, why}, system_.logger());
    }
  }
  void OnRefused(const std::string& from, const absl::Status& why) override {
    if (absl::IsUnauthenticated(why) || absl::IsPermissionDenied(why) ||
        absl::IsResourceExhausted(why)) {
      LogRefusal(from, why);
    }
    if (refused_.HasSubscribers()) {
      refused_.Publish(ConnectionRefused{from, why}, system_.logger());
    }
  }
  void OnUp(const NodeId& peer) override {
    ForgetNews(peer.name);
    if (up_.HasSubscribers()) up_.Publish(NodeUp{peer}, system_.logger());
  }
  void OnLost(const NodeId& peer, const AnyActorRef& subscriber) override {
    if (lost_.HasSubscribers()) {
      lost_.Publish(SubscriptionLost{peer, subscriber}, system_.logger());
    }
  }
  void OnDown(const NodeId& peer, const absl::Status& why) override {
    if (down_.HasSubscribers()) {
      down_.Publish(NodeDown{peer, why}, system_.logger());
    }
    dialler.Send<internal::PeerIsDown>(peer.name);
  }

  internal::Dialler::Ref dialler;

 private:
  // Whoever is refused can come again and again.
  void LogRefusal(const std::string& from, const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_) {
    constexpr absl::Duration kPause = absl::Seconds(10);
    const MonotonicTime now = system_.executor().clock().Now();
    int64_t not_told = 0;
    {
      absl::MutexLock lock(&mu_);
      if (now < next_refusal_) {
        ++refusals_not_told_;
        return;
      }
      next_refusal_ = now + kPause;
      not_told = std::exchange(refusals_not_told_, 0);
    }
    system_.logger().Log(
        LogSeverity::kWarning,
        absl::StrCat(
            "a connection from ", from, " was refused: ", why.ToString(),
            not_told == 0 ? ""
                          : absl::StrCat(" (and ", not_told, " before it)")));
  }
  // Whether dialling did not fail like that the last time.
  bool IsNews(const std::string& name, const absl::Status& why)
      ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    absl::Status& last = last_failures_[name];
    return std::exchange(last, why) != why;
  }
  void ForgetNews(const std::string& name) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    last_failures_.erase(name);
  }

  ActorSystem& system_;
  absl::Mutex mu_;
  std::map<std::string, absl::Status> last_failures_ ABSL_GUARDED_BY(mu_);
  // When one may be logged again, and how many were not.
  MonotonicTime next_refusal_ ABSL_GUARDED_BY(mu_);
  int64_t refusals_not_told_ ABSL_GUARDED_BY(mu_) = 0;
  internal::EventChannel<DialFailed>& dial_failed_;
  internal::EventChannel<ConnectionRefused>& refused_;
  internal::EventChannel<NodeUp>& up_;
  internal::EventChannel<NodeDown>& down_;
  internal::EventChannel<SubscriptionLost>& lost_;
};

struct Node::Parts {
  Parts(ActorSystem& system_of_node, NodeId id, Authorization authorization,
        internal::SessionOptions options, size_t max_frame_bytes)
      : system(system_of_node),
        core(system, id, std::move(authorization)),
        directory(std::move(id)),
        observer(system),
        shared{core,          directory,      observer, std::move(options),
               AnyActorRef(), max_frame_bytes} {
    core.set_directory(directory);
  }

  ActorSystem& system;
  internal::NodeCore core;
  internal::ExportedNames names;
  internal::Directory directory;
  Observer observer;
  internal::Session::Shared shared;
  internal::Receptionist::Ref receptionist;
};

// Has each connection that is accepted a session.
class Node::Accepting final : public Acceptor {
 public:
  explicit Accepting(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}

  std::shared_ptr<ConnectionHandler> OnAccept(
      std::unique_ptr<Connection> connection) override {
    const auto credit = internal::Session::FirstCredit(parts_->shared);
    absl::StatusOr<internal::Session::Ref> session =
        parts_->system.SpawnInstant<internal::Session>(
            std::ref(parts_->shared), std::move(connection), credit);
    if (!session.ok()) return nullptr;  // The system ends.
    return std::make_shared<internal::SessionPort>(*session, credit);
  }

 private:
  const std::shared_ptr<Parts> parts_;
};

class Node::Members final : public MembershipListener {
 public:
  explicit Members(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}

  void OnMembers(std::shared_ptr<const Membership> membership) override {
    parts_->observer.dialler.Send<internal::MembersCame>(std::move(membership));
  }
  void OnLost(const absl::Status& why) override {
    // Sessions tell by themselves who is there.
    parts_->system.logger().Log(
        LogSeverity::kWarning,
        absl::StrCat("the list of the members of the cluster may be out of "
                     "date: ",
                     why.ToString()));
  }

 private:
  const std::shared_ptr<Parts> parts_;
};

absl::StatusOr<std::unique_ptr<Node>> Node::Start(ActorSystem& system,
                                                  NodeOptions options) {
  if (absl::Status status = Check(options); !status.ok()) return status;
  const uint64_t incarnation =
      options.incarnation != 0 ? options.incarnation : IncarnationOf(system);
  auto parts = std::make_shared<Parts>(
      system, NodeId{options.name, incarnation},
      std::move(options.authorization),
      internal::SessionOptions{.cluster = options.cluster,
                               .heartbeat = options.heartbeat,
                               .silence = options.silence,
                               .outbox = {.messages = options.outbox_messages},
                               .kept = options.kept_for_peer,
                               .max_message_bytes = options.max_message_bytes,
                               .cookie = std::move(options.cookie)},
      options.transport->max_frame_bytes());
  auto& kept = system.Get<Kept<Parts>>().object;
  if (kept != nullptr) {
    return absl::FailedPreconditionError(
        "the system is, or was, part of a cluster; a node needs a new one");
  }
  kept = parts;
  absl::Status learned = parts->core.types().Learn(
      WireTypesOf<internal::ResolveName, internal::AskReport,
                  internal::SpawnActor, internal::KeepActor,
                  internal::RemoteEnd>());
  if (!learned.ok()) return learned;
  absl::StatusOr<internal::Receptionist::Ref> receptionist =
      system.Spawn<internal::Receptionist>(std::ref(parts->core),
                                           std::ref(parts->names));
  if (!receptionist.ok()) return receptionist.status();
  parts->receptionist = *receptionist;
  parts->shared.receptionist = *receptionist;
  parts->core.set_receptionist(*receptionist);
  if (absl::Status status = parts->core.exports().Add(*receptionist);
      !status.ok()) {
    return status;
  }
  absl::StatusOr<internal::Dialler::Ref> dialler =
      system.Spawn<internal::Dialler>(
          std::ref(parts->shared), std::ref(*options.transport), options.dial,
          system.core()->RandomNumber());
  if (!dialler.ok()) return dialler.status();
  parts->observer.dialler = *dialler;

  std::unique_ptr<Node> node(new Node(parts));
  node->transport_ = std::move(options.transport);
  node->membership_ = std::move(options.membership);
  absl::StatusOr<std::unique_ptr<Listener>> listener = node->transport_->Listen(
      options.listen, std::make_shared<Accepting>(parts));
  if (!listener.ok()) return listener.status();
  node->listener_ = *std::move(listener);
  node->address_ = node->listener_->address();
  absl::Status started =
      node->membership_->Start({.name = options.name,
                                .address = node->address_,
                                .incarnation = incarnation},
                               std::make_shared<Members>(parts));
  if (!started.ok()) return started;
  return node;
}

Node::~Node() {
  if (membership_ != nullptr) membership_->Leave();
  // Nobody comes any more, and nobody is dialled.
  listener_.reset();
  (void)parts_->observer.dialler.StopAndWait();
  for (const internal::SessionRef& session : parts_->directory.Actors()) {
    session.Send<internal::EndSession>(absl::UnavailableError(
        absl::StrCat("'", id().name, "' leaves the cluster")));
    (void)session.Wait();
  }
  (void)parts_->receptionist.StopAndWait();
  membership_.reset();
  transport_.reset();
}

const NodeId& Node::id() const { return parts_->core.self(); }

internal::NodeCore& Node::core() const { return parts_->core; }

std::vector<NodeId> Node::Peers() const { return parts_->directory.Peers(); }

NodeTables Node::Tables() const {
  NodeTables tables{.exports = parts_->core.exports().size(),
                    .group_news = parts_->core.groups().waiting(),
                    .targets = parts_->core.targets().size()};
  for (const internal::SessionRef& session : parts_->directory.Actors()) {
    const auto counting = session.As<internal::CountTables>();
    if (!counting.ok()) continue;  // It has ended.
    const auto of_one = counting->Call<internal::CountTables>().Wait();
    if (!of_one.ok()) continue;
    ++tables.sessions;
    tables.calls_out += of_one->calls_out;
    tables.calls_in += of_one->calls_in;
    tables.watches += of_one->watches;
    tables.subscriptions += of_one->subscriptions;
    tables.outbox += of_one->outbox;
  }
  return tables;
}

absl::Status Node::Learn(WireTypeList types) {
  return parts_->core.types().Learn(types);
}

absl::Status Node::ShareAny(const GroupRange& range,
                            const internal::GroupProtocol& protocol,
                            WireTypeList types) {
  absl::Status learned = Learn(types);
  if (!learned.ok()) return learned;
  return parts_->core.groups().Add(range, protocol, types);
}

absl::Status Node::ExportAny(absl::string_view name, const AnyActorRef& actor) {
  internal::Exports& exports = parts_->core.exports();
  absl::Status status = exports.Check(actor);
  // Whose name is taken cannot be addressed, either.
  if (status.ok()) status = parts_->names.Add(name, actor);
  if (!status.ok()) return status;
  parts_->core.targets().Add(actor, name);
  return exports.Add(actor);
}

absl::StatusOr<ActorRef<internal::ResolveName>> Node::ReceptionistOf(
    absl::string_view path, absl::string_view& name) const {
  const absl::StatusOr<AnyActorRef> found = core().ReceptionistFor(path, name);
  if (!found.ok()) return found.status();
  return ActorRef<internal::ResolveName>(found->cell(), found->id().value());
}

Task<absl::StatusOr<AnyActorRef>> Node::Ask(std::string path,
                                            WireTypeList types) {
  absl::string_view name;
  absl::Status learned = Learn(types);
  if (!learned.ok()) co_return learned;
  auto receptionist = ReceptionistOf(path, name);
  if (!receptionist.ok()) co_return receptionist.status();
  co_return co_await receptionist->Call<internal::ResolveName>(
      std::string(name), internal::AskedTypes(types));
}

absl::StatusOr<AnyActorRef> Node::AskAndWait(const std::string& path,
                                             WireTypeList types,
                                             absl::Duration timeout) {
  absl::string_view name;
  if (absl::Status status = Learn(types); !status.ok()) return status;
  auto receptionist = ReceptionistOf(path, name);
  if (!receptionist.ok()) return receptionist.status();
  return receptionist
      ->Call<internal::ResolveName>(std::string(name),
                                    internal::AskedTypes(types))
      .Within(timeout)
      .Wait();
}

}  // namespace troupe
