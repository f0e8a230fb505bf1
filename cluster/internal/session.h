// A Session is the actor that speaks with another node: it greets, writes what
// actors here want of the actors there, reads what those want of the ones here,
// and finds out when the other node is gone.
//
// It ends with its connection, and there is one connection to each. At its end
// all that waits for the peer is told so.
//
// States: kGreeting --hello of the other, admitted--> kUp --whatever--> ended.
// Before the hellos both ends prove that they know the cookie, if there is one.
#ifndef TROUPE_CLUSTER_INTERNAL_SESSION_H_
#define TROUPE_CLUSTER_INTERNAL_SESSION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/actor/timer.h"
#include "troupe/base/clock.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/arrival_credit.h"
#include "troupe/cluster/internal/bulk_lane.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/directory.h"
#include "troupe/cluster/internal/failure_detector.h"
#include "troupe/cluster/internal/group_exchange.h"
#include "troupe/cluster/internal/inbound.h"
#include "troupe/cluster/internal/introduction.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/long_message.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/outbound.h"
#include "troupe/cluster/internal/port_exchange.h"
#include "troupe/cluster/internal/reassembly.h"
#include "troupe/cluster/internal/watch_book.h"
#include "troupe/cluster/internal/wire_refs.h"
#include "troupe/cluster/node_id.h"
#include "troupe/cluster/shared_secret.h"
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
// The peer has sent more than it was granted, or a frame with nothing in it.
struct CreditOverrun {
  TransportLane lane;
  bool is_empty = false;
};
struct SessionTick {};
// A message is long: it is written or read elsewhere.
struct WriteLong {
  std::shared_ptr<LongWrite> work;
};
struct ReadLong {
  std::shared_ptr<LongRead> work;
};

// What a session keeps for those who wait, on either side.
struct SessionTables {
  size_t calls_out = 0;
  size_t calls_in = 0;
  size_t watches = 0;
  size_t subscriptions = 0;
  size_t outbox = 0;
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
  // What may be under way to us that we have not handled yet, in each lane.
  uint64_t control_credit = uint64_t{1} << 20;
  uint64_t data_credit = uint64_t{4} << 20;
  uint64_t bulk_credit = uint64_t{4} << 20;
  // Calls, monitors, links and waits of a peer that are kept; and, besides,
  // subscriptions.
  size_t kept = size_t{1} << 20;
  // What may be under way in parts, and so the longest message.
  uint64_t max_message_bytes = uint64_t{64} << 20;
  // What both ends have to prove to know; null: nothing.
  std::shared_ptr<SharedSecret> cookie = nullptr;
};

// Passes what it hears on to the session, but no frame that must not have come:
// so a peer cannot have more memory taken than it was granted, however slow the
// session is. Empty frames would need no credit, and no node sends one.
class SessionPort final : public ConnectionHandler {
 public:
  using Ref = ActorRef<FrameCame, FramesSent, ConnectionClosed, CreditOverrun>;
  SessionPort(Ref session, std::shared_ptr<ArrivalCredit> credit)
      : session_(session), credit_(std::move(credit)) {}

  void OnFrame(TransportLane lane, std::string frame) override {
    if (overrun_) return;
    const bool is_empty = frame.empty();
    if (!is_empty && credit_->Take(lane, frame.size())) {
      Tell(FrameCame{lane, std::move(frame)});
    } else {
      overrun_ = true;
      Tell(CreditOverrun{lane, is_empty});
    }
  }
  // Told when it is worth a turn of the session, which lets far more be under
  // way than that. Of control it keeps no count.
  void OnSent(TransportLane lane, size_t bytes) override {
    if (lane == TransportLane::kControl) return;
    size_t& sent = sent_bytes_[static_cast<int>(lane)];
    sent += bytes;
    if (sent < kToldBytes) return;
    Tell(FramesSent{lane, std::exchange(sent, 0)});
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

  static constexpr size_t kToldBytes = size_t{64} << 10;

  const Ref session_;
  const std::shared_ptr<ArrivalCredit> credit_;
  std::array<size_t, kTransportLanes> sent_bytes_ = {};
  bool overrun_ = false;
};

// Hears of sessions. Called in their turns; must be brief.
class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  // Nothing came of dialling a node, or of a connection that was accepted.
  virtual void OnDialFailed(const std::string& name,
                            const absl::Status& why) = 0;
  virtual void OnRefused(const std::string& from, const absl::Status& why) = 0;
  virtual void OnUp(const NodeId& peer) = 0;
  // The subscription of an actor here to a port there is over.
  virtual void OnLost(const NodeId& peer, const AnyActorRef& subscriber) = 0;
  // Behind all that has been told to those who waited.
  virtual void OnDown(const NodeId& peer, const absl::Status& why) = 0;
};

class Session final
    : public Actor<FarMailWaits, FrameCame, FramesSent, ConnectionClosed,
                   CreditOverrun, EndSession, SessionTick, WriteLong, ReadLong,
                   CountTables> {
 public:
  // These wait for work, beside each other and all else. A session that ends
  // waits for them.
  using Interleaved = Protocol<WriteLong, ReadLong>;

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
  // One for a connection that was accepted, whose port has `credit`.
  Session(Shared& shared, std::unique_ptr<Connection> connection,
          std::shared_ptr<ArrivalCredit> credit);
  // What a peer may send that is not one yet.
  static std::shared_ptr<ArrivalCredit> FirstCredit(const Shared& shared);

  ~Session();

  absl::Status PreStart();
  void PostStart();

  void Handle(FarMailWaits);
  void Handle(FrameCame m);
  void Handle(FramesSent m);
  void Handle(ConnectionClosed m);
  void Handle(CreditOverrun m);
  void Handle(EndSession m) { End(m.why); }
  void Handle(SessionTick);
  Task<void> Handle(WriteLong m);
  Task<void> Handle(ReadLong m);
  SessionTables Handle(CountTables) const;

 private:
  struct Up;
  // How one lane is written and read. What is introduced in one is known in
  // that one only: lanes are in no order to each other.
  struct Lane {
    Lane(Up& up, NodeCore& node);

    Outbound outbound;
    Inbound inbound;
    Encoder frame;
  };
  // Items of the bulk lane, up to a place handled: a frame, or what came in
  // parts, the last of which is in the frame behind it.
  struct Unread {
    std::string bytes;
    size_t handled = 0;
    bool is_whole = false;
  };
  // All that a session has once it is up.
  struct Up {
    Up(NodeCore& node, FarCell& far, uint64_t max_bytes_in_parts)
        : peer(far),
          ports(far),
          calls_in(far),
          watches(far),
          groups(node, far),
          data(*this, node),
          bulk(*this, node),
          bulk_lane(far, bulk.outbound, calls_out, node.offloader()),
          parts(max_bytes_in_parts) {}

    // What was taken from the outbox, and not written, has nowhere to go.
    void FailPopped() {
      for (; next != nullptr; next = popped.Pop()) {
        auto& outgoing = next->As<Outgoing>();
        peer.Fail(outgoing.id_there, std::move(outgoing.envelope));
      }
    }

    FarCell& peer;
    PortExchange ports;
    CallsOut calls_out;
    CallsIn calls_in;
    WatchBook watches;
    GroupExchange groups;
    Lane data;
    Lane bulk;
    BulkLane bulk_lane;
    Reassembly parts;
    // What has come in the bulk lane and is not handled. Nothing of it is while
    // a message is read elsewhere: it is in order.
    std::deque<Unread> unread;
    bool is_reading = false;
    Encoder control_frame;
    // Of the outbox, Outgoings that are not written yet: the next one, and
    // those behind it. None: there is no next one.
    EnvelopePtr next;
    EnvelopeList popped;
  };
  // Bytes of what needs credit.
  struct Flow {
    int64_t credit = 0;  // That the peer takes.
    uint64_t sent = 0;
    uint64_t handled = 0;  // Of the peer's, for which it has no credit yet.
    size_t under_way = 0;  // That the transport has.
    size_t may_be_under_way = 0;

    bool IsOpen() const { return credit > 0 && under_way < may_be_under_way; }
  };
  // So many are taken from the outbox under one lock.
  static constexpr int kPopAtOnce = 64;
  // What the transport may have of ours at a time. Little of bulk: what comes
  // in the other lanes does not wait for more.
  static constexpr size_t kMaxDataUnderWay = size_t{1} << 20;
  static constexpr size_t kMaxBulkUnderWay = size_t{256} << 10;
  // Then others of this worker have their turns.
  static constexpr int kMaxFramesAtOnce = 16;

  void BeginIntroduction();
  HelloItem Hello() const;
  // kUnauthenticated: the other end has proven to be another node.
  absl::Status CheckIdentity(const std::string& claimed) const;
  // kPermissionDenied: no node of that name is to be a peer.
  absl::Status CheckAdmitted(const std::string& name) const;
  // Of an item that comes before the hellos.
  absl::Status OnChallenge(const ChallengeItem& item);
  absl::Status OnProof(const ProofItem& item);
  // Nothing has been proven that is to be.
  bool IsStranger() const {
    return introduction_.has_value() && !introduction_->IsDone();
  }
  // As the other end may be told.
  absl::Status ForPeer(const absl::Status& why) const {
    return IsStranger() ? Introduction::ForStrangers(why) : why;
  }
  // The other end has ended it, as a peer or before it became one.
  void OnRefused(const absl::Status& why);
  // From now on looks whether the other end is silent for so long.
  void Listen(absl::Duration heartbeat, absl::Duration silence);
  absl::Status NothingHeard() const;
  absl::Status OnHello(const HelloItem& hello);
  absl::Status GoUp(const NodeId& peer, const HelloItem& hello);
  // Ends the session, for a reason that the other end is told.
  void End(const absl::Status& why);
  // The same, as the other end knows or never will.
  void TellNobodyCame() const;
  void EndSilently(const absl::Status& why);
  MonotonicTime Now() { return system().executor().clock().Now(); }

  absl::Status HandleFrame(TransportLane lane, std::string frame);
  // Handles what is unread, up to a message that is read elsewhere.
  absl::Status HandleUnread();
  absl::Status HandleSome(Unread& now);
  // All of it has been handled.
  absl::Status EndUnread();
  absl::Status HandleItem(TransportLane lane, ItemKind kind, Decoder& in);
  // What may be in the bulk lane only, between items; or an item.
  absl::Status HandleBulkItem(bool is_whole, ItemKind kind, Decoder& in);
  // A part of a whole.
  absl::Status HandlePart(Decoder& in);
  // The frame has been handled.
  absl::Status EndFrame(TransportLane lane, size_t frame_bytes);
  void BeginRead(std::shared_ptr<LongRead> work);
  absl::Status HandleCredit(Decoder& in);
  Flow& FlowOf(TransportLane lane);
  // What reads the items of a lane. REQUIRES: it is up.
  Lane& ReaderOf(TransportLane lane) {
    return lane == TransportLane::kBulk ? up_->bulk : up_->data;
  }
  // Has the peer be told that a frame has been handled, now or later.
  void Grant(TransportLane lane, size_t frame_bytes);
  // Not OK: the peer asks, and takes no answers.
  absl::Status CheckWaiting() const;
  // Writes what waits, as far as the peer takes it.
  void Flush();
  void FlushControl();
  // False: there is more to be written, in a turn that comes.
  bool FlushData();
  bool FlushBulk();
  void BeginWrite();
  // An Outgoing that cannot go in the data lane.
  void AddToBulk(EnvelopePtr wrapped);
  // Sends the frame, and begins another; nothing if it is empty, or if the
  // session has ended. If it is longer than the peer takes, as what is
  // introduced with an item comes beside others, it is sent as several, which
  // wait for credit, but for those of the control lane; if one of its items is,
  // the session ends.
  void SendFrame(TransportLane lane, Encoder& frame);

  Shared& shared_;
  const std::string expected_;  // Empty: accepted.
  Connect connect_;
  std::unique_ptr<Connection> connection_;
  SessionRef self_;
  uint64_t number_ = 0;                       // The session's.
  std::optional<Introduction> introduction_;  // Nothing: there is no cookie.
  NodeId peer_id_;
  std::unique_ptr<Up> up_;
  bool ended_ = false;
  absl::Status why_;  // Of the end.

  size_t frame_bytes_ = 0;
  size_t max_frame_bytes_;  // Of one that is sent.
  std::shared_ptr<ArrivalCredit> arrival_credit_;
  // Of it, `under_way` is not looked at.
  Flow control_flow_;
  Flow data_flow_{.may_be_under_way = kMaxDataUnderWay};
  Flow bulk_flow_{.may_be_under_way = kMaxBulkUnderWay};
  bool peer_awaits_credit_ = false;  // For the frame that is being handled.
  // Of the greeting, then of a peer that is up.
  std::optional<FailureDetector> detector_;
  Timer ticks_;
  MonotonicTime beat_;  // When the last heartbeat was sent.
  // What came before the hello, within its credit.
  std::vector<FrameCame> early_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_SESSION_H_
