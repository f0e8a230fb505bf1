// A Node makes an ActorSystem part of a cluster: its actors can be addressed
// from other nodes, by the same references that are used at home.
//
//   absl::StatusOr<std::unique_ptr<Node>> node = Node::Start(
//       *system, {.name = "b", .listen = "b", .transport = ..., ...});
//   (*node)->Export("worker", worker);          // On b.
//
//   // On a, in a handler that is a Task:
//   absl::StatusOr<ActorRef<WorkerApi>> worker =
//       co_await node.Resolve<WorkerApi>("worker@b");
//
// References are addresses: nothing is kept for an actor elsewhere, and none
// here can be addressed to which no reference has left this node.
//
// Order: as at home, as long as a session lasts. A session that breaks loses
// what was under way; then, and before the next one, all who wait hear of it.
// Ownership: of transport and membership provider. Ends all sessions when it is
// destroyed, and must be before its system.
// Blocking: Start() and the destructor wait for actors; they are not called in
// a turn.
// Thread safety: any thread.
// Errors: kUnavailable where there is no session with a node.
#ifndef TROUPE_CLUSTER_NODE_H_
#define TROUPE_CLUSTER_NODE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/task.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/internal/dialler.h"
#include "troupe/cluster/internal/directory.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/receptionist.h"
#include "troupe/cluster/internal/session.h"
#include "troupe/cluster/membership.h"
#include "troupe/cluster/node_events.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/shared_secret.h"
#include "troupe/cluster/transport.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/registry/group.h"
#include "troupe/registry/group_range.h"

namespace troupe {

struct NodeOptions {
  // See CheckNodeName().
  std::string name = {};
  // Only nodes of the same cluster talk to each other.
  std::string cluster = {};
  // What Transport::Listen() takes.
  std::string listen = {};
  std::unique_ptr<Transport> transport = {};
  std::unique_ptr<MembershipProvider> membership = {};
  // Of this start of the node: must be greater than those before. 0: the time.
  uint64_t incarnation = 0;
  // What peers hear of each other at least. 1 ms or more.
  absl::Duration heartbeat = absl::Seconds(2);
  // A peer of which nothing was heard for so long is down. Time in which this
  // node stood still does not count, but for a quarter of a heartbeat each
  // time, so that a node that is always late takes longer to notice. At least
  // three heartbeats, of which one may come late.
  absl::Duration silence = absl::Seconds(8);
  // How many messages may wait for the connection with one node, before
  // senders are refused, or wait.
  uint64_t outbox_messages = 65536;
  // How many calls, monitors, links and waits for ends of one peer are kept;
  // more are refused (kResourceExhausted). So many subscriptions to ports are,
  // too; more are over at once. A peer that asks and takes no answers, so that
  // twice as many wait beside the messages, is lost.
  uint64_t kept_for_peer = uint64_t{1} << 20;
  // The longest message that is sent or taken, in bytes on the wire: at most
  // 2^40. What is longer is refused where it is sent.
  uint64_t max_message_bytes = uint64_t{64} << 20;
  // How long it pauses before it dials a peer again.
  internal::DialOptions dial = {};
  // What actors of other nodes may do to those of this one.
  Authorization authorization = {};
  // What other nodes have to prove to know before anything is said to them, and
  // this one proves to them: a Cookie (cluster/security). Null: nothing.
  std::shared_ptr<SharedSecret> cookie = {};
};

// What a node keeps for others and for those here who wait for others. All of
// it goes with who waits.
struct NodeTables {
  size_t sessions = 0;  // Those that are being dialled, too.
  // Actors that other nodes may address; one of them is the node's own.
  size_t exports = 0;
  // Calls to others and by others that are not answered.
  size_t calls_out = 0;
  size_t calls_in = 0;
  // Monitors, links and waits for ends, of either side.
  size_t watches = 0;
  // To ports, of either side.
  size_t subscriptions = 0;
  // What sessions have taken and not written yet: messages, and changes of
  // groups.
  size_t outbox = 0;
  size_t group_news = 0;
  // Actors whose names the rules ask for, and stand-ins of remote children.
  size_t targets = 0;
};

class Node {
 public:
  // kInvalidArgument: an option makes no sense. Errors of the transport, and of
  // the membership provider.
  static absl::StatusOr<std::unique_ptr<Node>> Start(ActorSystem& system,
                                                     NodeOptions options);
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  const NodeId& id() const;
  // Where it listens.
  const std::string& address() const { return address_; }
  // The nodes with which there is a session, in the order of their names.
  std::vector<NodeId> Peers() const;

  // For who looks for what is not released. Blocks: asks the sessions.
  NodeTables Tables() const;

  // Lets other nodes find `actor` by that name. kAlreadyExists: another one has
  // it, or another message has the name of one of these.
  template <typename... Ps>
  absl::Status Export(absl::string_view name, const ActorRef<Ps...>& actor) {
    absl::Status status = Learn(WireTypesOf<Ps...>());
    return status.ok() ? ExportAny(name, actor) : status;
  }

  // From now on this group has as members those on all nodes that share it,
  // too. What does not cross is refused: a key with other messages than its
  // members take (kFailedPrecondition), or a message that has another's name
  // (kAlreadyExists).
  template <typename... Ps>
  absl::Status Share(const Group<Ps...>& group) {
    return ShareAny(group.name(), internal::GroupProtocol::Of<Ps...>(),
                    WireTypesOf<Ps...>());
  }
  // The same for all groups of a scope, those that come later too: their
  // members take these messages.
  template <typename... Ps>
  absl::Status ShareScope(absl::string_view scope) {
    return ShareAny(GroupRange::Scope(scope),
                    internal::GroupProtocol::Of<Ps...>(), WireTypesOf<Ps...>());
  }

  // The actor that `path`, such as "worker@b", names, if it takes these
  // messages, in a handler. Besides: errors of a call.
  template <typename... Ps>
  Task<absl::StatusOr<ActorRef<Ps...>>> Resolve(std::string path) {
    co_return Typed<Ps...>(co_await Ask(path, WireTypesOf<Ps...>()));
  }
  // The same on a plain thread.
  template <typename... Ps>
  absl::StatusOr<ActorRef<Ps...>> ResolveAndWait(
      const std::string& path, absl::Duration timeout = absl::Seconds(5)) {
    return Typed<Ps...>(AskAndWait(path, WireTypesOf<Ps...>(), timeout));
  }

  // For the runtime.
  internal::NodeCore& core() const;
  // Whom other nodes ask for what is on this one.
  const AnyActorRef& receptionist() const { return core().receptionist(); }

 private:
  struct Parts;
  class Observer;
  class Accepting;
  class Members;

  explicit Node(std::shared_ptr<Parts> parts) : parts_(std::move(parts)) {}

  template <typename... Ps>
  static absl::StatusOr<ActorRef<Ps...>> Typed(
      absl::StatusOr<AnyActorRef> found) {
    if (!found.ok()) return std::move(found).status();
    // The receptionist has checked what it takes.
    if (found->IsRemote()) {
      return ActorRef<Ps...>(found->cell(), found->id().value());
    }
    return found->As<Ps...>();
  }

  absl::Status Learn(WireTypeList types);
  absl::Status ShareAny(const GroupRange& range,
                        const internal::GroupProtocol& protocol,
                        WireTypeList types);
  absl::Status ExportAny(absl::string_view name, const AnyActorRef& actor);
  Task<absl::StatusOr<AnyActorRef>> Ask(std::string path, WireTypeList types);
  absl::StatusOr<AnyActorRef> AskAndWait(const std::string& path,
                                         WireTypeList types,
                                         absl::Duration timeout);
  absl::StatusOr<ActorRef<internal::ResolveName>> ReceptionistOf(
      absl::string_view path, absl::string_view& name) const;

  // Outlives the actors of the system.
  const std::shared_ptr<Parts> parts_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<MembershipProvider> membership_;
  std::unique_ptr<Listener> listener_;
  std::string address_;
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_NODE_H_
