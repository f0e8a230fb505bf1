// Whether an actor can be used from other nodes:
//
//   static_assert(Remotable<Counter>);
//
// Each of its messages has a name on the wire and a codec, and so has each
// reply. Where one is missing, what exports the actor does not compile, and
// says which.
#ifndef TROUPE_CLUSTER_REMOTABLE_H_
#define TROUPE_CLUSTER_REMOTABLE_H_

#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/cluster/codec/codec.h"

namespace troupe {

namespace internal {

template <typename M>
constexpr bool CanCross() {
  if constexpr (kWireName<M>.empty() || !Encodable<M>) {
    return false;
  } else if constexpr (RequestType<M>) {
    return Encodable<OutcomeOf<M>>;
  } else {
    return true;
  }
}

template <typename List>
inline constexpr bool kAllCross = false;
template <typename... Ms>
inline constexpr bool kAllCross<TypeList<Ms...>> = (CanCross<Ms>() && ...);

}  // namespace internal

template <typename A>
concept Remotable = internal::kAllCross<typename A::Messages>;

}  // namespace troupe

#endif  // TROUPE_CLUSTER_REMOTABLE_H_
