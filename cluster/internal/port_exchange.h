// The subscriptions of actors on one node of a session to ports on the other
// one.
//
// Each is two: one at the port, whose actor is a reference to the other node,
// and one at the subscriber, behind it, with the same options. The first one
// keeps what the connection does not take, the second one what the actor does
// not. So each bound holds on each side; and of a lossless one what is under
// way at the port is all that the actor has not begun to handle, however far it
// has come.
//
// Thread safety: belongs to the session. Outside the seat.
#ifndef TROUPE_CLUSTER_INTERNAL_PORT_EXCHANGE_H_
#define TROUPE_CLUSTER_INTERNAL_PORT_EXCHANGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/internal/port_items.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/stream/internal/port_core.h"
#include "troupe/stream/internal/subscription_core.h"

namespace troupe::internal {

// What subscriptions tell their session, in its data queue.
struct PortOpenOut {
  uint64_t number;
};
struct PortEndOut {
  uint64_t number;
  bool cancelled;
};
struct PortLeftOut {
  uint64_t key;
};
struct PortTakenOut {
  uint64_t key;
  uint64_t messages;
};

class PortExchange {
 public:
  explicit PortExchange(FarCell& peer) : peer_(peer) {}
  ~PortExchange();

  void Open(uint64_t session_number) { session_number_ = session_number; }
  // All subscriptions are over. Returns the actors here that have lost some.
  std::vector<AnyActorRef> Close();

  // So many that the peer asks for are kept.
  void SetLimit(size_t kept) { max_out_ = kept; }

  // -- at the port

  // A subscription was asked for by the peer, who calls it so. Where there is
  // no room for it, it is over, and the peer hears so.
  void OnSubscribe(const std::shared_ptr<SubscriptionCore>& core,
                   uint64_t token);
  // What `message`, an envelope of a subscription's, brings, and the number of
  // the subscription; introduces it in the frame if it is new. Null: nothing,
  // any more.
  std::shared_ptr<SubscriptionCore> Arrive(SharedContent& message,
                                           uint64_t& number, Encoder& frame);
  // The actor there that has the subscription of that number; 0: it is over.
  uint64_t ReceiverOf(uint64_t number) const;
  void Append(const PortOpenOut& out, Encoder& frame);
  void Append(const PortEndOut& out, Encoder& frame);
  void OnTaken(const PortTakenItem& item);
  void OnLeft(const PortLeftItem& item);

  // -- at the subscriber

  // Somebody here asks for a subscription to a port of the peer's. Returns what
  // it is called; 0: it is over.
  uint64_t Subscribe(Subscriber subscriber, const WireType& type);
  void Append(const PortLeftOut& out, Encoder& frame);
  void Append(const PortTakenOut& out, Encoder& frame);
  // Not OK: the peer makes no sense.
  absl::Status OnOpen(const PortOpenItem& item, const AnyActorRef& to);
  void OnEnd(const PortEndItem& item);
  // For whom a message of that number is; null: for nobody, any more.
  AnyActorRef SubscriberOf(uint64_t number) const;
  // REQUIRES of these: there is somebody.
  bool WasAskedFor(uint64_t number) const;
  bool Takes(uint64_t number, const WireType& type) const;
  void OnPublished(uint64_t number, const WireType& type, SharedBody body);
  // A message for it makes no sense.
  void OnLost(uint64_t number);

  size_t size() const { return out_.size() + in_.size(); }

 private:
  class Owner;
  class End;
  // At the subscriber.
  struct In {
    uint64_t number = 0;    // The port's; 0: not known yet.
    Subscriber subscriber;  // Without a core: it is made for the first message.
    bool was_asked_for = false;
    const WireType* type = nullptr;  // What is published; null: not known yet.
    AnyActorRef actor;
    SubscribeOptions options;
    std::shared_ptr<Owner> owner;  // Null: nobody is there.
  };
  // A peer that has more means no good.
  static constexpr size_t kMaxSubscriptions = size_t{1} << 20;

  uint64_t Add(const std::shared_ptr<SubscriptionCore>& core, uint64_t token);
  PortOpenItem Introduction(uint64_t number,
                            const SubscriptionCore& core) const;
  std::shared_ptr<Owner> OwnerFor(uint64_t key,
                                  const SubscribeOptions& options);
  // Begins what has a core. False: it is over.
  static bool Begin(In& in);
  void Forget(uint64_t key);

  FarCell& peer_;
  uint64_t session_number_ = 0;

  // At the port: by number.
  struct Out {
    std::shared_ptr<SubscriptionCore> core;
    uint64_t token;
  };
  uint64_t last_number_ = 0;
  size_t max_out_ = kMaxSubscriptions;
  std::map<uint64_t, Out> out_;
  absl::flat_hash_map<const SubscriptionCore*, uint64_t> numbers_;

  // At the subscriber: by keys, of which those that were asked for are tokens.
  uint64_t last_key_ = 0;
  std::map<uint64_t, In> in_;
  absl::flat_hash_map<uint64_t, uint64_t> keys_;  // By the port's numbers.
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_PORT_EXCHANGE_H_
