// A Session is the actor that speaks with another node: it greets, writes what
// actors here want of the actors there, reads what those want of the ones here,
// and finds out when the other node is gone.
//
// It ends with its connection, and there is one connection to each. At its end
// all that waits for the peer is told so.
//
// States: kGreeting --hello of the other, admitted--> kUp --whatever--> ended.
#ifndef TROUPE_CLUSTER_INTERNAL_SESSION_H_
#define TROUPE_CLUSTER_INTERNAL_SESSION_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/directory.h"
#include "troupe/cluster/internal/group_exchange.h"
#include "troupe/cluster/internal/inbound.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/outbound.h"
#include "troupe/cluster/internal/port_exchange.h"
#include "troupe/cluster/internal/watch_book.h"
#include "troupe/cluster/internal/wire_refs.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/transport.h"
#include "troupe/mailbox/capacity.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe::internal {

// What a connection tells its session.
struct FrameCame {
  TransportLane lane;
  std::string frame;
};
struct FramesSent {
  TransportLane lane;
  size_t bytes;
};
struct ConnectionClosed {
  absl::Status why;
};
struct SessionTick {};
struct GreetingIsLate {};

// What a session keeps for those who wait, on either side.
struct SessionTables {
  size_t calls_out = 0;
  size_t calls_in = 0;
  size_t watches = 0;
};
struct CountTables {
  using Reply = SessionTables;
};

struct SessionOptions {
  std::string cluster = "";
  absl::Duration greeting_timeout = absl::Seconds(5);
  absl::Duration heartbeat = absl::Seconds(2);
  // A peer that has said nothing for so long is gone.
  absl::Duration silence = absl::Seconds(8);
  // What may wait for the connection to take it.
  Capacity outbox = {.messages = 65536};
  // Frames are about as long as that, where there is so much to say.
  size_t frame_bytes = size_t{64} << 10;
  // What may be under way to us that we have not handled yet.
  uint64_t data_credit = uint64_t{4} << 20;
};

// Passes what it hears on to the session.
class SessionPort final : public ConnectionHandler {
 public:
  using Ref = ActorRef<FrameCame, FramesSent, ConnectionClosed>;
  explicit SessionPort(Ref session) : session_(session) {}

  void OnFrame(TransportLane lane, std::string frame) override {
    Tell(FrameCame{lane, std::move(frame)});
  }
  void OnSent(TransportLane lane, size_t bytes) override {
    Tell(FramesSent{lane, bytes});
  }
  void OnClosed(const absl::Status& why) override {
    Tell(ConnectionClosed{why});
  }

 private:
  // A session that has ended has no interest, and that is no dead letter.
  template <typename M>
  void Tell(M message) {
    (void)session_.TrySend(std::move(message));
  }

  const Ref session_;
};

// Hears of sessions. Called in their turns; must be brief.
class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  virtual void OnUp(const NodeId& peer) = 0;
  // The subscription of an actor here to a port there is over.
  virtual void OnLost(const NodeId& peer, const AnyActorRef& subscriber) = 0;
  // Behind all that has been told to those who waited.
  virtual void OnDown(const NodeId& peer, const absl::Status& why) = 0;
};

class Session final
    : public Actor<FarMailWaits, FrameCame, FramesSent, ConnectionClosed,
                   EndSession, SessionTick, GreetingIsLate, CountTables> {
 public:
  // What all sessions of a node share; outlives them.
  struct Shared {
    NodeCore& node;
    Directory& directory;
    SessionObserver& observer;
    SessionOptions options;
    AnyActorRef receptionist;
    size_t max_frame_bytes = 0;
  };
  // How a connection comes to be: in PreStart.
  using Connect = std::function<absl::StatusOr<std::unique_ptr<Connection>>(
      std::shared_ptr<ConnectionHandler>)>;

  // One that dials the node `expected`, which may have any incarnation.
  Session(Shared& shared, std::string expected, Connect connect);
  // One for a connection that was accepted.
  Session(Shared& shared, std::unique_ptr<Connection> connection);

  ~Session();

  absl::Status PreStart();
  void PostStart();

  void Handle(FarMailWaits);
  void Handle(FrameCame m);
  void Handle(FramesSent m);
  void Handle(ConnectionClosed m);
  void Handle(EndSession m) { End(m.why); }
  void Handle(SessionTick);
  void Handle(GreetingIsLate);
  SessionTables Handle(CountTables) const;

 private:
  // All that a session has once it is up.
  struct Up {
    Up(NodeCore& node, FarCell& far)
        : peer(far),
          ports(far),
          refs(node, far, ports, definitions),
          calls_in(far),
          watches(far),
          groups(node, far),
          outbound(node, far, refs, definitions, calls_out, calls_in, watches,
                   groups, ports),
          inbound(node, far, refs, calls_out, calls_in, watches, groups,
                  ports) {}

    // What was taken from the outbox, and not written, has nowhere to go.
    void FailPopped() {
      while (EnvelopePtr wrapped = popped.Pop()) {
        auto& outgoing = wrapped->As<Outgoing>();
        peer.Fail(outgoing.id_there, std::move(outgoing.envelope));
      }
    }

    FarCell& peer;
    Encoder definitions;
    PortExchange ports;
    WireRefs refs;
    CallsOut calls_out;
    CallsIn calls_in;
    WatchBook watches;
    GroupExchange groups;
    Outbound outbound;
    Inbound inbound;
    Encoder control_frame;
    Encoder data_frame;
    EnvelopeList popped;  // Of the outbox, Outgoings that are not written yet.
  };
  // So many are taken from the outbox under one lock.
  static constexpr int kPopAtOnce = 64;
  // What the transport may have of our data at a time.
  static constexpr size_t kMaxUnderWay = size_t{1} << 20;
  // Then others of this worker have their turns.
  static constexpr int kMaxFramesAtOnce = 16;

  HelloItem Hello() const;
  absl::Status OnHello(const HelloItem& hello);
  absl::Status GoUp(const NodeId& peer, const HelloItem& hello);
  // Ends the session, for a reason that the other end is told.
  void End(const absl::Status& why);
  // The same, as the other end knows or never will.
  void EndSilently(const absl::Status& why);
  MonotonicTime Now() { return system().executor().clock().Now(); }

  absl::Status HandleFrame(TransportLane lane, const std::string& frame);
  absl::Status HandleItem(ItemKind kind, Decoder& in);
  // Writes what waits, as far as the peer takes it.
  void Flush();
  void FlushControl();
  void FlushData();
  // Sends the frame, and begins another; nothing if it is empty.
  void SendFrame(TransportLane lane, Encoder& frame);

  Shared& shared_;
  const std::string expected_;  // Empty: accepted.
  Connect connect_;
  std::unique_ptr<Connection> connection_;
  SessionRef self_;
  uint64_t number_ = 0;  // The session's.
  NodeId peer_id_;
  std::unique_ptr<Up> up_;
  bool ended_ = false;
  absl::Status why_;  // Of the end.

  size_t frame_bytes_ = 0;
  int64_t credit_ = 0;    // Bytes of data that the peer takes.
  uint64_t handled_ = 0;  // Bytes of its data that it has no credit for yet.
  size_t under_way_ = 0;  // Bytes of data that the transport has.
  MonotonicTime heard_;   // When something came last.
  MonotonicTime ticked_;
  std::vector<std::string> early_;  // Data that came before the hello.
  size_t early_bytes_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_SESSION_H_
