// The events of a system (actor/events.h, and what other packages publish) by
// ports: to actors, with all that SubscribeOptions offers.
//
//   PortSubscription letters = SubscribeEvents<DeadLetter>(
//       system, monitor, {.lag = Lag::kDropOldest, .limit = 100});
//   PortSubscription ends = SubscribeEvents<ActorEnded>(
//       system, monitor, [](const EndedActor& ended) -> std::optional<Alarm> {
//         if (ended.reason.IsGraceful()) return std::nullopt;
//         return Alarm(ended.class_name);
//       });
//
// An event that refers to what lives no longer than it does comes as one that
// owns it: OwnedEvent<E>.
//
// A DeadLetter of a message that was a DeadLetter itself is not published: once
// its subscriber has ended, that would make the next one.
//
// Order: as of the events. What happens while the first subscription to a type
// of event begins may be missed.
// Thread safety: any thread.
#ifndef TROUPE_STREAM_EVENT_PORT_H_
#define TROUPE_STREAM_EVENT_PORT_H_

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/mailbox/message_type.h"
#include "troupe/stream/output_port.h"
#include "troupe/stream/port_subscription.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe {

// ActorStarted as a message.
struct StartedActor {
  ActorId actor;
  ActorId parent;  // Null: top level.
  std::string name;
  std::string_view class_name;
};

// ActorEnded as a message.
struct EndedActor {
  ActorId actor;
  std::string name;
  std::string_view class_name;
  ExitReason reason;
};

// What subscribers to E get: E itself, if that owns what it names. May be
// specialised.
template <typename E>
struct OwnedEvent {
  using type = E;
  static const E& From(const E& event) { return event; }
};
template <>
struct OwnedEvent<ActorStarted> {
  using type = StartedActor;
  static StartedActor From(const ActorStarted& event) {
    return {event.actor, event.parent, std::string(event.name),
            event.class_name};
  }
};
template <>
struct OwnedEvent<ActorEnded> {
  using type = EndedActor;
  static EndedActor From(const ActorEnded& event) {
    return {event.actor, std::string(event.name), event.class_name,
            event.reason};
  }
};

namespace internal {

// The port of one type of event: an extension of the system.
template <typename E>
class EventPort {
 public:
  using Message = typename OwnedEvent<E>::type;

  explicit EventPort(ActorSystem& system)
      : events_(system.Subscribe<E>([this](const E& event) {
          if constexpr (std::is_same_v<E, DeadLetter>) {
            if (event.message_type == kMessageType<DeadLetter>.name) return;
          }
          port_.Publish(OwnedEvent<E>::From(event));
        })) {}

  const PortRef<Message>& port() const { return port_; }

 private:
  OutputPort<Message> port_;
  Subscription events_;  // Last: the first to go.
};

}  // namespace internal

// Subscribes an actor to the events of type E; see PortRef::Subscribe().
template <typename E>
PortSubscription SubscribeEvents(
    ActorSystem& system,
    const std::type_identity_t<ActorRef<typename OwnedEvent<E>::type>>& actor,
    const SubscribeOptions& options = {}) {
  return system.Get<internal::EventPort<E>>().port().Subscribe(actor, options);
}
template <typename E, std::derived_from<AnyActorRef> To,
          internal::ConvertsFrom<typename OwnedEvent<E>::type> F>
PortSubscription SubscribeEvents(ActorSystem& system, const To& actor,
                                 F convert,
                                 const SubscribeOptions& options = {}) {
  return system.Get<internal::EventPort<E>>().port().Subscribe(
      actor, std::move(convert), options);
}

}  // namespace troupe

#endif  // TROUPE_STREAM_EVENT_PORT_H_
