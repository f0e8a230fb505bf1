// A Protocol is a list of messages that some actor handles.
//
//   struct AccountApi : troupe::Protocol<Deposit, Withdraw, Balance> {};
//
// Wherever a protocol is wanted, a message may stand for the protocol of that
// message alone, and several may be listed: ActorRef<AccountApi, Close>.
#ifndef TROUPE_ACTOR_PROTOCOL_H_
#define TROUPE_ACTOR_PROTOCOL_H_

#include <concepts>
#include <type_traits>

namespace troupe {

template <typename... Messages>
struct TypeList {};

template <typename... Messages>
struct Protocol {
  using ProtocolMessages = TypeList<Messages...>;
};

namespace internal {

template <typename P>
concept IsProtocol = requires {
  typename P::ProtocolMessages;
};

template <typename List, typename M>
inline constexpr bool kListContains = false;
template <typename... Ms, typename M>
inline constexpr bool kListContains<TypeList<Ms...>, M> =
    (std::same_as<Ms, M> || ...);

// Appends to the first list what the second has beyond it.
template <typename A, typename B>
struct Union {
  using type = A;
};
template <typename... As, typename B, typename... Bs>
struct Union<TypeList<As...>, TypeList<B, Bs...>> {
  using type = typename std::conditional_t<
      kListContains<TypeList<As...>, B>,
      Union<TypeList<As...>, TypeList<Bs...>>,
      Union<TypeList<As..., B>, TypeList<Bs...>>>::type;
};

template <typename P>
struct MessagesOfOne {
  using type = TypeList<P>;
};
template <IsProtocol P>
struct MessagesOfOne<P> {
  using type = typename P::ProtocolMessages;
};

template <typename List, typename... Ps>
struct Flatten {
  using type = List;
};
template <typename List, typename P, typename... Ps>
struct Flatten<List, P, Ps...> {
  using type = typename Flatten<
      typename Union<List, typename MessagesOfOne<P>::type>::type, Ps...>::type;
};

template <typename Smaller, typename Larger>
inline constexpr bool kIsSubset = false;
template <typename... Ms, typename Larger>
inline constexpr bool kIsSubset<TypeList<Ms...>, Larger> =
    (kListContains<Larger, Ms> && ...);

}  // namespace internal

// All messages of protocols and messages `Ps`, each once.
template <typename... Ps>
using MessagesOf = typename internal::Flatten<TypeList<>, Ps...>::type;

// Whether an actor with protocols `Ps...` takes message M.
template <typename M, typename... Ps>
concept MessageOf = internal::kListContains<MessagesOf<Ps...>, M>;

}  // namespace troupe

#endif  // TROUPE_ACTOR_PROTOCOL_H_
