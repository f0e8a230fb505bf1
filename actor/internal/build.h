// Building a message from the arguments of a send.
#ifndef TROUPE_ACTOR_INTERNAL_BUILD_H_
#define TROUPE_ACTOR_INTERNAL_BUILD_H_

#include <concepts>
#include <type_traits>
#include <utility>

#include "troupe/actor/reply_of.h"
#include "troupe/actor/request.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Stands for an argument, and converts only to what would lose something of it:
// a floating-point number to an integer, a pointer to bool.
template <typename T>
struct Lossy {
  template <typename U>
  requires((std::floating_point<T> && std::integral<U>) ||
           (std::is_pointer_v<T> && std::same_as<U, bool>))
  operator U() const;  // NOLINT(google-explicit-constructor)
};
// The same, and converts only to what keeps it.
template <typename T>
struct Lossless {
  template <typename U>
  requires(std::convertible_to<T, U> &&
           !(std::floating_point<T> &&
             std::integral<U>)&&!(std::is_pointer_v<T> &&
                                  std::same_as<U, bool>))
  operator U() const;  // NOLINT(google-explicit-constructor)
};

template <typename Arg>
inline constexpr bool kCanLose =
    std::floating_point<std::remove_cvref_t<Arg>> ||
    std::is_pointer_v<std::decay_t<Arg>>;

template <template <typename> class Stand, typename Arg>
using StandIn =
    std::conditional_t<kCanLose<Arg>, Stand<std::decay_t<Arg>>, Arg>;

// Whether M(Args...) would lose something. Parentheses allow it, for
// aggregates too; a sender hardly means it.
template <typename M, typename... Args>
inline constexpr bool kLoses =
    (kCanLose<Args> || ...) &&
    std::is_constructible_v<M, StandIn<Lossy, Args>...> &&
    !std::is_constructible_v<M, StandIn<Lossless, Args>...>;

// An envelope for a message of a user's. A request has room for who waits for
// its answer; nobody does as yet.
template <typename M, typename... Args>
[[nodiscard]] Envelope* MakeMessage(Args&&... args) {
  if constexpr (RequestType<M>) {
    Envelope* const envelope = MakeEnvelopeWithTrailer<M, sizeof(Request)>(
        std::forward<Args>(args)...);
    Request::PutBehind(*envelope);
    return envelope;
  } else {
    return MakeEnvelope<M>(std::forward<Args>(args)...);
  }
}

template <typename M, typename... Args>
constexpr void CheckArguments() {
  static_assert(std::is_constructible_v<M, Args&&...>,
                "this message cannot be built from these arguments");
  static_assert(!kLoses<M, Args&&...>,
                "building this message would turn a floating-point number into "
                "an integer, or a pointer into a bool; convert it first");
}

template <typename M, typename... Args>
[[nodiscard]] Envelope* Build(Args&&... args) {
  CheckArguments<M, Args...>();
  return MakeMessage<M>(std::forward<Args>(args)...);
}

// An envelope for a request that is to be called: the caller writes the
// RequestInfo behind the message.
template <typename M, typename... Args>
[[nodiscard]] Envelope* BuildCalled(Args&&... args) {
  CheckArguments<M, Args...>();
  Envelope* const envelope =
      MakeEnvelopeWithTrailer<M, sizeof(Request)>(std::forward<Args>(args)...);
  envelope->tag = kRequestTag;
  return envelope;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_BUILD_H_
