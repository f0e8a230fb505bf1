// Reads the items of frames that a peer has sent, and does what they ask for.
//
// Errors: a message that makes no sense becomes a dead letter; frames that make
// none end the session.
// Thread safety: belongs to the session. Outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_INBOUND_H_
#define TROUPE_CLUSTER_INTERNAL_INBOUND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/cluster/authorization.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/internal/call_book.h"
#include "troupe/cluster/internal/exports.h"
#include "troupe/cluster/internal/gate.h"
#include "troupe/cluster/internal/group_exchange.h"
#include "troupe/cluster/internal/items.h"
#include "troupe/cluster/internal/long_message.h"
#include "troupe/cluster/internal/node_core.h"
#include "troupe/cluster/internal/peer_types.h"
#include "troupe/cluster/internal/port_exchange.h"
#include "troupe/cluster/internal/watch_book.h"
#include "troupe/cluster/internal/wire_refs.h"
#include "troupe/cluster/wire_type.h"

namespace troupe::internal {

class Inbound {
 public:
  Inbound(NodeCore& node, FarCell& peer, std::shared_ptr<WireRefs> refs,
          CallsOut& calls_out, CallsIn& calls_in, WatchBook& watches,
          GroupExchange& groups, PortExchange& ports)
      : node_(node),
        peer_(peer),
        refs_(std::move(refs)),
        calls_out_(calls_out),
        calls_in_(calls_in),
        watches_(watches),
        groups_(groups),
        ports_(ports),
        gate_(node, peer),
        types_(node.types()) {}

  // How many calls, monitors, links and waits are kept for the peer.
  void SetLimit(size_t kept) { max_kept_ = kept; }

  // Does what an item says, behind the byte of its kind; passes over what it
  // does not know. Not OK: the peer makes no sense.
  absl::Status Handle(ItemKind kind, Decoder& in);
  // Items that come lie in other memory.
  void EndFrame() {
    published_ = {};
    read_ = nullptr;
  }
  // What has to be done elsewhere before the item is handled at which `items`
  // begin, as its message is long; then OnRead() is called. Null: nothing.
  std::shared_ptr<LongRead> LookAhead(absl::string_view items);
  void OnRead(std::shared_ptr<LongRead> read) { read_ = std::move(read); }

 private:
  // More than so many are not logged.
  static constexpr int kMaxRefusals = 100;

  // Whether one more may be kept.
  absl::Status CheckRoom() const;
  // The same, and whether the peer may watch that actor.
  absl::Status MayWatch(uint64_t to);
  void OnEnd(const EndItem& item);
  void OnMonitor(const MonitorItem& item, Decoder& in);
  void OnLink(const LinkItem& item);
  absl::Status OnAwaitEnd(Decoder& in);
  void OnRefused(const RefusedItem& item);
  absl::Status OnSend(Decoder& in);
  absl::Status OnCall(Decoder& in);
  absl::Status OnPublished(Decoder& in);
  absl::Status OnPublishedAgain(Decoder& in);
  // Gives the message that was published last to a subscriber.
  void Publish(uint64_t number);
  absl::Status OnGroupSend(Decoder& in);
  absl::Status OnReply(Decoder& in);
  void OnFailure(const FailureItem& item);

  // As Exports::Find(), for actors that are addressed again and again.
  const Exports::Entry& Target(uint64_t to);
  // By what a payload of that type is read for that actor. Null: it is not.
  LongRead::Decode ReaderOf(Verb verb, uint64_t to, uint64_t type_number);
  // Whether an actor gets a message of that type. Not OK: it is a dead letter,
  // for that reason.
  absl::Status Admit(Verb verb, uint64_t to, const PeerType& type,
                     DeadLetter::Reason& reason);
  // What a payload says; null: why not.
  EnvelopePtr Read(LongRead::Decode decode, absl::string_view payload,
                   absl::Status& why);
  // The same of what is for many.
  SharedBody ReadShared(const WireType& type, absl::string_view payload,
                        absl::Status& why);
  // A message for `to` from its bytes; null: it is a dead letter, and that is
  // why.
  EnvelopePtr Parse(Verb verb, uint64_t to, uint64_t type_number,
                    absl::string_view payload, AnyActorRef& actor,
                    const WireType*& type, absl::Status& why);
  void Mourn(uint64_t to, DeadLetter::Reason reason,
             absl::string_view message_type, const absl::Status& why);

  NodeCore& node_;
  FarCell& peer_;
  const std::shared_ptr<WireRefs> refs_;
  CallsOut& calls_out_;
  CallsIn& calls_in_;
  WatchBook& watches_;
  GroupExchange& groups_;
  PortExchange& ports_;
  Gate gate_;
  PeerTypes types_;
  int refusals_ = 0;
  int undecodable_ = 0;
  size_t max_kept_ = 0;  // Set before the first item.

  // Of each place the last actor that was addressed, until it has ended: the
  // table of all is behind a lock.
  struct Known {
    uint64_t to = 0;
    Exports::Entry entry;
  };
  // What was published last in the frame.
  struct Published {
    bool is_there = false;
    uint64_t type = 0;
    absl::string_view payload;
    SharedBody body;  // Null: nobody has wanted it yet.
  };
  Published published_;
  std::shared_ptr<LongRead> read_;  // The payload that comes next; null: none.
  static constexpr size_t kTargets = 64;
  std::array<Known, kTargets> targets_;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_INBOUND_H_
