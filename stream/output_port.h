// An OutputPort<T> is where an actor, or a plain thread, publishes T to whoever
// subscribed to it. Each subscriber says what becomes of more than it keeps up
// with (subscribe_options.h), and may have T converted, or some of it left out.
//
//   OutputPort<Price> prices({.keeps = 10});
//   PortSubscription screen = prices.Subscribe(
//       view, {.lag = Lag::kConflate});                   // ActorRef<Price>
//   PortSubscription alarm = prices.Subscribe(
//       bell, [](const Price& p) -> std::optional<Ring> {
//         if (p.cents < 100) return std::nullopt;
//         return Ring(p.symbol);
//       });
//   prices.Publish("TRP", 250);                           // Price("TRP", 250)
//
// There is one T, whatever the number of subscribers: T is copied only for
// those that handle it by value, and conversions make what they return.
//
// Order: per subscription, as published. A subscription takes effect at once:
// what has been published reaches it if it asked for a replay, what is
// published from now on does, with no gap and nothing twice. What a lossless
// one gets also keeps its place among what the publisher sends to the same
// actor.
// Bounds: SubscribeOptions::limit for each subscription. The bounds of a
// mailbox are for what is sent there, and do not count or refuse this.
// Ownership: the port ends with the object; what is under way is delivered.
// What waits for an actor that ends becomes dead letters; its subscriptions are
// gone with it, and what is published later does not concern it.
// Blocking: only PendingPublish waits.
// Thread safety: any thread. Conversions run on the publisher's, several at
// once. For a thread that may still be at it when the port goes: a PortRef.
#ifndef TROUPE_STREAM_OUTPUT_PORT_H_
#define TROUPE_STREAM_OUTPUT_PORT_H_

#include <concepts>
#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/stream/internal/port_core.h"
#include "troupe/stream/internal/subscriber_of.h"
#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/pending_publish.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe {

// A reference to a port. It may outlive the port: then what is published
// reaches nobody, and subscriptions are over at once.
//
// Ownership: none of the port. A copyable value.
template <typename T>
class PortRef {
 public:
  // Publishes T(args...), and never waits: lossless subscribers that are behind
  // get further behind.
  template <typename... Args>
  void Publish(Args&&... args) const {
    core_->Publish(Build(std::forward<Args>(args)...));
  }
  // The same if each lossless subscriber has room, and nobody waits for that.
  // False: it reaches nobody.
  template <typename... Args>
  [[nodiscard]] bool TryPublish(Args&&... args) const {
    if (core_->BeginTurn(nullptr) != internal::PortCore::Turn::kGranted) {
      return false;
    }
    const internal::PortCore::EndOfTurn end{*core_};
    Publish(std::forward<Args>(args)...);
    return true;
  }
  // The same as soon as each has room: to be awaited in a Task, or waited for
  // by a plain thread.
  template <typename... Args>
  PendingPublish PublishWhenReady(Args&&... args) const {
    static_assert(
        !(internal::kDestroyedTwiceWhenAwaited<Args> || ...),
        "GCC before 13 would destroy this aggregate twice where it is "
        "awaited: give what the message is built from, or name the "
        "aggregate");
    return PendingPublish(core_, kMessageType<T>,
                          Build(std::forward<Args>(args)...));
  }

  // Subscribes an actor. One that subscribes twice gets everything twice,
  // unless SubscribeOptions::replaces says otherwise.
  PortSubscription Subscribe(const std::type_identity_t<ActorRef<T>>& actor,
                             const SubscribeOptions& options = {}) const {
    return Attach(internal::SubscriberOf<T>(actor, options));
  }
  // The same with a conversion, `M(const T&)` or `std::optional<M>(const T&)`,
  // for an actor that takes M. It must be callable from several threads at
  // once. If it throws, the message is dropped for this subscriber, and logged.
  template <std::derived_from<AnyActorRef> To, internal::ConvertsFrom<T> F>
  PortSubscription Subscribe(const To& actor, F convert,
                             const SubscribeOptions& options = {}) const {
    return Attach(
        internal::SubscriberOf<T>(actor, std::move(convert), options));
  }

  // Ends all subscriptions of an actor; see PortSubscription::Unsubscribe().
  // Returns how many there were.
  size_t Unsubscribe(const AnyActorRef& actor) const {
    return core_->Cancel(actor);
  }

  // How many subscriptions there are.
  size_t subscriptions() const { return core_->subscriptions(); }
  // How each of them fares, in the order in which they began.
  std::vector<SubscriptionStats> stats() const {
    std::vector<SubscriptionStats> stats;
    for (const auto& core : core_->Cores()) stats.push_back(core->stats());
    return stats;
  }

  // For the runtime.
  explicit PortRef(std::shared_ptr<internal::PortCore> core)
      : core_(std::move(core)) {}
  const std::shared_ptr<internal::PortCore>& core() const { return core_; }

 private:
  template <typename... Args>
  static internal::SharedBody Build(Args&&... args) {
    internal::CheckShareable<T>();
    internal::CheckArguments<T, Args...>();
    return internal::SharedBody::Make<T>(std::forward<Args>(args)...);
  }
  PortSubscription Attach(internal::Subscriber subscriber) const {
    PortSubscription subscription(subscriber.core);
    core_->Attach(std::move(subscriber));
    return subscription;
  }

  std::shared_ptr<internal::PortCore> core_;
};

template <typename T>
class OutputPort : public PortRef<T> {
 public:
  explicit OutputPort(const PortOptions& options = {})
      : PortRef<T>(std::make_shared<internal::PortCore>(options)) {}
  OutputPort(const OutputPort&) = delete;
  OutputPort& operator=(const OutputPort&) = delete;
  ~OutputPort() { this->core()->Close(); }

  // For others; it may outlive the port.
  PortRef<T> ref() const { return *this; }
};

}  // namespace troupe

#endif  // TROUPE_STREAM_OUTPUT_PORT_H_
