// Publishes<T> makes an actor one to which others subscribe by a message:
//
//   class Ticker : public Actor<Tick, Subscribe<Price>, Unsubscribe<Price>>,
//                  public Publishes<Price> {
//    public:
//     void Handle(Tick m) { port().Publish(m.symbol, m.cents); }
//   };
//
// It handles the two itself. A subscriber either keeps the subscription,
//
//   prices_ = SubscribeTo<Price>(ticker, self(), {.lag = Lag::kConflate});
//
// or lets it last until Unsubscribe, or until one of the two ends:
//
//   ticker.Send<Subscribe<Price>>(self());
//   ticker.Send<Unsubscribe<Price>>(self());
//
// Order: a subscription takes effect when the publisher handles the message.
// Ownership: the port is the actor's, and ends with it.
// Thread safety: Publishes belongs to its actor; the messages are values.
#ifndef TROUPE_STREAM_PUBLISHES_H_
#define TROUPE_STREAM_PUBLISHES_H_

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/stream/internal/port_core.h"
#include "troupe/stream/internal/subscriber_of.h"
#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe {

template <typename T>
class Publishes;

// Asks for a subscription. Move-only. One that is not handled is over.
template <typename T>
class Subscribe {
 public:
  using HandledBy = Publishes<T>;

  // Of nobody; does nothing.
  Subscribe() = default;
  // As PortRef::Subscribe().
  explicit Subscribe(const std::type_identity_t<ActorRef<T>>& actor,
                     const SubscribeOptions& options = {})
      : subscriber_(internal::SubscriberOf<T>(actor, options)) {}
  template <std::derived_from<AnyActorRef> To, internal::ConvertsFrom<T> F>
  explicit Subscribe(const To& actor, F convert,
                     const SubscribeOptions& options = {})
      : subscriber_(
            internal::SubscriberOf<T>(actor, std::move(convert), options)) {}
  Subscribe(Subscribe&&) noexcept = default;
  Subscribe& operator=(Subscribe&&) noexcept = default;
  ~Subscribe() {
    if (subscriber_.core != nullptr) subscriber_.core->Retire();
  }

  // For the runtime.
  const std::shared_ptr<internal::SubscriptionCore>& core() const {
    return subscriber_.core;
  }

  // Takes over what there is.
  internal::Subscriber Take() const {
    return std::exchange(subscriber_, internal::Subscriber());
  }
  explicit Subscribe(internal::Subscriber subscriber)
      : subscriber_(std::move(subscriber)) {}

 private:
  // Mutable: a message that is written goes on as another one.
  mutable internal::Subscriber subscriber_;
};

// Ends all subscriptions of an actor.
template <typename T>
struct Unsubscribe {
  using HandledBy = Publishes<T>;

  AnyActorRef actor;
};

template <typename T>
class Publishes {
 public:
  void Handle(Subscribe<T>&& m) {
    internal::Subscriber subscriber = m.Take();
    if (subscriber.core != nullptr) port_.core()->Attach(std::move(subscriber));
  }
  void Handle(const Unsubscribe<T>& m) { port_.Unsubscribe(m.actor); }

 protected:
  explicit Publishes(const PortOptions& options = {}) : port_(options) {}
  ~Publishes() = default;

  OutputPort<T>& port() { return port_; }

 private:
  OutputPort<T> port_;
};

// Subscribes `actor`, and optionally a conversion and options, to what
// `publisher` publishes: the arguments of Subscribe<T>.
template <typename T, typename To, typename... Args>
PortSubscription SubscribeTo(const ActorRef<Subscribe<T>>& publisher,
                             const To& actor, Args&&... args) {
  Subscribe<T> message(actor, std::forward<Args>(args)...);
  PortSubscription subscription(message.core());
  publisher.Send(std::move(message));
  return subscription;
}

}  // namespace troupe

#endif  // TROUPE_STREAM_PUBLISHES_H_
