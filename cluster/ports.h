// Ports across nodes: an actor subscribes to one of another node as to one at
// home.
//
//   struct TickerApi : Protocol<Subscribe<Price>, Unsubscribe<Price>> {};
//   node.Export("ticker", ticker);                       // On b.
//
//   auto ticker = co_await node.Resolve<TickerApi>("ticker@b");
//   prices_ = SubscribeTo<Price>(*ticker, self(), {.lag = Lag::kConflate});
//
// Price has a wire name, and these two have theirs by that.
//
// A subscription may be part of another message, if that is short: where it is
// not, the message becomes a dead letter, and the subscription is over.
//
// Bounds: SubscribeOptions::limit on each side: of what the connection has not
// taken, and of what the subscriber has not begun to handle. A lossless
// subscription is full by all that the subscriber has not begun to handle;
// what it has handled is told in parts, an eighth of the limit at a time.
// Order: as at home, on either side.
// Ownership: as at home; the connection is the end of it, too: the subscription
// is inactive, and a SubscriptionLost is published. What has come is delivered.
// A subscription that is made for an actor of another node than the one where
// it is made lasts until Unsubscribe, whatever becomes of the PortSubscription.
// Thread safety: a conversion runs where the subscription was made, in the turn
// of the session.
#ifndef TROUPE_CLUSTER_PORTS_H_
#define TROUPE_CLUSTER_PORTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/cluster/codec/codec.h"
#include "troupe/cluster/codec/decoder.h"
#include "troupe/cluster/codec/encoder.h"
#include "troupe/cluster/codec/shape.h"
#include "troupe/cluster/ref_codec.h"
#include "troupe/cluster/wire_type.h"
#include "troupe/stream/internal/port_core.h"
#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/publishes.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe {
namespace internal {

// Two strings as one that lasts.
template <const absl::string_view& kFirst, const absl::string_view& kSecond>
struct JoinedNames {
  static constexpr auto kBytes = [] {
    std::array<char, kFirst.size() + kSecond.size()> bytes{};
    size_t at = 0;
    for (const char c : kFirst) bytes[at++] = c;
    for (const char c : kSecond) bytes[at++] = c;
    return bytes;
  }();
  static constexpr absl::string_view kName{kBytes.data(), kBytes.size()};
};

inline constexpr absl::string_view kSubscribeName = "subscribe:";
inline constexpr absl::string_view kUnsubscribeName = "unsubscribe:";

// What a Subscribe<T> is on the wire.
struct SubscribeOnWire {
  AnyActorRef actor;  // Null: nobody, any more.
  SubscribeOptions options;
  uint64_t name = 0;  // 0: none.
};
void WriteSubscribe(Subscriber subscriber, WireTypeList published,
                    Encoder& out);
// False: nobody subscribes, or the decoder has failed.
bool ReadSubscribe(WireTypeList published, Decoder& in, SubscribeOnWire& read);

}  // namespace internal

template <typename T>
inline constexpr absl::string_view kWireName<Subscribe<T>> =
    internal::JoinedNames<internal::kSubscribeName, kWireName<T>>::kName;
template <typename T>
inline constexpr absl::string_view kWireName<Unsubscribe<T>> =
    internal::JoinedNames<internal::kUnsubscribeName, kWireName<T>>::kName;

template <typename T>
struct Codec<Subscribe<T>> {
  static constexpr bool kHasOtherEnd = true;
  static void Encode(const Subscribe<T>& message, Encoder& out) {
    internal::WriteSubscribe(message.Take(), WireTypesOf<T>(), out);
  }
  static void Decode(Decoder& in, Subscribe<T>& message) {
    internal::SubscribeOnWire read;
    if (!internal::ReadSubscribe(WireTypesOf<T>(), in, read)) return;
    if (!read.actor.IsRemote()) {
      // As of any reference that comes home: see Codec<ActorRef>.
      const absl::Status takes = read.actor.As<T>().status();
      if (absl::IsFailedPrecondition(takes)) return in.Fail(takes.message());
    }
    auto core = std::make_shared<internal::SubscriptionCore>(
        read.actor, internal::kSharedMessageType<T>, read.options);
    if (read.name != 0) in.refs()->OnSubscribe(core, read.name);
    message = Subscribe<T>(internal::Subscriber{std::move(core), nullptr});
  }
  static void Describe(ShapeBuilder& shape) { shape.Add("\"subscribe\""); }
};

}  // namespace troupe

#endif  // TROUPE_CLUSTER_PORTS_H_
