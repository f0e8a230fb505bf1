// Making subscribers of actors.
#ifndef TROUPE_STREAM_INTERNAL_SUBSCRIBER_OF_H_
#define TROUPE_STREAM_INTERNAL_SUBSCRIBER_OF_H_

#include <concepts>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/stream/internal/port_core.h"
#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe::internal {

// What comes out of a conversion, std::optional or not.
template <typename R>
struct ConvertedTo {
  using type = R;
};
template <typename R>
struct ConvertedTo<std::optional<R>> {
  using type = R;
};

template <typename F, typename T>
concept ConvertsFrom = std::invocable<const F&, const T&>;

// One that gets every T as it is.
template <typename T>
Subscriber SubscriberOf(const ActorRef<T>& actor,
                        const SubscribeOptions& options) {
  CheckShareable<T>();
  return {
      std::make_shared<SubscriptionCore>(actor, kSharedMessageType<T>, options),
      nullptr};
}

// One that gets what `convert` makes of each T.
template <typename T, typename To, typename F>
Subscriber SubscriberOf(const To& actor, F convert,
                        const SubscribeOptions& options) {
  using R = std::remove_cvref_t<std::invoke_result_t<const F&, const T&>>;
  using M = typename ConvertedTo<R>::type;
  static_assert(std::convertible_to<To, ActorRef<M>>,
                "this actor does not take what the conversion makes");
  CheckShareable<M>();
  auto shared = [convert = std::move(convert)](const SharedBody& published) {
    R converted = convert(published.As<T>());
    if constexpr (std::same_as<R, M>) {
      return SharedBody::Make<M>(std::move(converted));
    } else {
      return converted.has_value() ? SharedBody::Make<M>(*std::move(converted))
                                   : SharedBody();
    }
  };
  return {std::make_shared<SubscriptionCore>(ActorRef<M>(actor),
                                             kSharedMessageType<M>, options),
          std::make_shared<const Conversion>(std::move(shared))};
}

}  // namespace troupe::internal

#endif  // TROUPE_STREAM_INTERNAL_SUBSCRIBER_OF_H_
