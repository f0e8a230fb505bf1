// Sending one message to many actors.
#ifndef TROUPE_REGISTRY_INTERNAL_SEND_TO_ALL_H_
#define TROUPE_REGISTRY_INTERNAL_SEND_TO_ALL_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "absl/types/span.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_message.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Whether an M in an envelope of its own costs no more than what leads to one
// that is shared: the same cache line, and no count.
template <typename M>
inline constexpr bool kIsSmall =
    std::is_trivially_copyable_v<M>&& kEnvelopeClass<M, 0> <=
    EnvelopePool::ClassOf(64);

// Sends each receiver what make() returns, an envelope; returns how many took
// it. What others did not is a dead letter. If make() throws for the first,
// none is sent; what one has got is promised to all.
template <typename F>
size_t SendEach(absl::Span<const AnyActorRef> receivers, F&& make) {
  size_t reached = 0;
  bool is_promised = false;
  for (const AnyActorRef& receiver : receivers) {
    Cell& cell = *receiver.cell();
    const uint64_t id = receiver.id().value();
    Envelope* const envelope =
        is_promised ? MustHaveMemory("a message to a group", make) : make();
    is_promised = true;
    const SendResult result = envelope->lane == Lane::kNormal
                                  ? TrySendEnvelope(cell, id, envelope)
                                  : TrySendInLane(cell, id, envelope);
    if (result == SendResult::kSent) [[likely]] {
      ++reached;
    } else if (IsRefused(result)) {
      BecomeDeadLetter(cell, id, envelope, result);
    }
  }
  return reached;
}

template <typename M>
size_t SendSharedToAll(absl::Span<const AnyActorRef> receivers,
                       const SharedMessage<M>& message) {
  SharedBodies bodies(message.body(), static_cast<uint32_t>(receivers.size()));
  return SendEach(receivers,
                  [&] { return MakeSharedEnvelope<M>(bodies.Take()); });
}

// Sends M(args...) to all. REQUIRES: they take M, and refer to actors.
template <typename M, typename... Args>
size_t SendToAll(absl::Span<const AnyActorRef> receivers, Args&&... args) {
  CheckShareable<M>();
  if constexpr (kIsSmall<M>) {
    const EnvelopePtr first(Build<M>(std::forward<Args>(args)...));
    const M& message = first->As<M>();
    return SendEach(receivers, [&] { return MakeEnvelope<M>(message); });
  } else {
    return SendSharedToAll(receivers,
                           SharedMessage<M>::Make(std::forward<Args>(args)...));
  }
}

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_SEND_TO_ALL_H_
