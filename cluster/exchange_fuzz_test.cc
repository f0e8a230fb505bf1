// What a stranger says before the hellos, and a peer of groups and ports, as
// any bytes: a node takes it or ends the session, and when that has ended
// nothing of it is left. Who does not know the secret proves nothing.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/group_exchange.h"
#include "troupe/cluster/internal/inbound.h"
#include "troupe/cluster/internal/introduction.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/port_exchange.h"
#include "troupe/cluster/internal/secret_testing.h"
#include "troupe/cluster/internal/watch_book.h"
#include "troupe/cluster/internal/wire_refs.h"
#include "troupe/registry/groups.h"
#include "troupe/scheduler/deterministic_executor.h"
#include "troupe/stream/internal/subscriber_of.h"
#include "troupe/stream/output_port.h"

namespace troupe::internal {
namespace {

struct Fuzzed {
  static constexpr absl::string_view kWireName = "f";
  std::string text;
};
class Member : public Actor<Fuzzed> {
 public:
  void Handle(const Fuzzed&) {}
};

// A node, and what its sessions with a peer have in common.
struct World {
  ~World() { EXPECT_TRUE(system->Shutdown().ok()); }

  std::unique_ptr<ActorSystem> system =
      ActorSystem::CreateOn(std::make_unique<DeterministicExecutor>(
                                DeterministicExecutor::Options{.seed = 1}),
                            {});
  NodeCore node{*system, {"a", 1}, Authorization()};
  FarCell& peer = **node.CellOf({"b", 1});
  CallsOut calls_out;
  CallsIn calls_in{peer};
  WatchBook watches{peer};
};

// Both ends of an introduction, each of which hears all of it.
class Introductions {
 public:
  // False: it ends the connection of both.
  bool Hear(ItemKind kind, Decoder& in) {
    bool goes_on = false;
    if (kind == ItemKind::kChallenge) {
      const auto item = ReadItem<ChallengeItem>(in);
      if (!in.ok()) return false;
      for (Introduction* const end : {&dialler_, &acceptor_}) {
        goes_on |= end->OnChallenge(item, said_).ok();
      }
    } else if (kind == ItemKind::kProof) {
      const auto item = ReadItem<ProofItem>(in);
      if (!in.ok()) return false;
      for (Introduction* const end : {&dialler_, &acceptor_}) {
        goes_on |= end->OnProof(item, said_).ok();
      }
    } else {
      const auto hello = ReadItem<HelloItem>(in);
      if (!in.ok()) return false;
      for (Introduction* const end : {&dialler_, &acceptor_}) {
        goes_on |= end->CheckHello(hello).ok();
      }
    }
    EXPECT_FALSE(dialler_.IsDone());
    EXPECT_FALSE(acceptor_.IsDone());
    return goes_on;
  }

 private:
  PlainSecret secret_{"a", {"a word that is not in any corpus"}};
  Introduction dialler_{secret_, {"a", 1}, "b"};
  Introduction acceptor_{secret_, {"a", 1}, ""};
  Encoder said_;
};

void Run(absl::string_view bytes) {
  static World world;
  static const Group<Fuzzed> group("g");
  static Groups& groups = world.system->Get<Groups>();
  static const bool is_ready = [] {
    EXPECT_TRUE(world.node.types().Learn(WireTypesOf<Fuzzed>()).ok());
    EXPECT_TRUE(world.node.groups()
                    .Add(group.name(), GroupProtocol::Of<Fuzzed>(),
                         WireTypesOf<Fuzzed>())
                    .ok());
    return groups.Join(group, world.system->Spawn<Member>().value()).ok();
  }();
  EXPECT_TRUE(is_ready);
  // A session of its own.
  GroupExchange exchange(world.node, world.peer);
  PortExchange ports(world.peer);
  const auto refs = std::make_shared<WireRefs>(world.node, world.peer, ports);
  Inbound inbound(world.node, world.peer, refs, world.calls_out, world.calls_in,
                  world.watches, exchange, ports);
  exchange.Open(/*session_number=*/1);
  ports.Open(/*session_number=*/1);
  // With a subscription that was asked for, 1, and a port of which the peer
  // has one, 1.
  const ActorRef<Fuzzed> member = groups.Members(group).value()[0];
  EXPECT_EQ(
      ports.Subscribe(SubscriberOf<Fuzzed>(member, {}), WireTypeOf<Fuzzed>()),
      1u);
  OutputPort<Fuzzed> port;
  Subscriber there = SubscriberOf<Fuzzed>(
      ActorRef<Fuzzed>(world.peer.RefTo(5).cell(), world.peer.IdOf(5)), {});
  ports.OnSubscribe(there.core, /*token=*/9);
  port.core()->Attach(there);
  Introductions introductions;
  Decoder in(bytes);
  while (!in.AtEnd()) {
    const auto kind = static_cast<ItemKind>(in.ReadByte());
    if (kind == ItemKind::kChallenge || kind == ItemKind::kProof ||
        kind == ItemKind::kHello) {
      if (!introductions.Hear(kind, in)) break;
      continue;
    }
    // The others are not looked at here.
    const bool is_looked_at =
        kind == ItemKind::kType ||
        (kind >= ItemKind::kGroupsWanted && kind <= ItemKind::kGroupSend) ||
        (kind >= ItemKind::kPortOpen && kind <= ItemKind::kPortLeft);
    if (!is_looked_at) break;
    if (!inbound.Handle(kind, in).ok()) break;
    EXPECT_EQ(groups.LocalMembers(group).value().size(), 1u);
    port.Publish("news");
  }
  exchange.Close();
  (void)ports.Close();
  EXPECT_EQ(ports.size(), 0u);
  EXPECT_EQ(port.subscriptions(), 0u);
  EXPECT_EQ(groups.Members(group).value().size(), 1u);
  EXPECT_EQ(groups.ListScopes().size(), 1u);
  static_cast<DeterministicExecutor&>(world.system->executor()).RunUntilIdle();
}

}  // namespace
}  // namespace troupe::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::internal::Run(
      absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
