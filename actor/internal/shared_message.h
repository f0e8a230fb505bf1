// Sending one message to many actors without a copy for each:
//
//   const auto news = SharedMessage<News>::Make("it rains");
//   for (const ActorRef<News>& reader : readers) SendShared(reader, news);
//
// Receivers handle it as any message. Where the handler takes a const News&, it
// sees the one that all share, in a coroutine for as long as that runs; a
// handler that takes it over, by value or News&&, gets a copy of its own. So
// the message must be copyable, and must bear to be read by several threads at
// once.
//
// Order, lanes, bounds, dead letters: as of any message that is sent. The bytes
// of a bounded mailbox count the way to the message, not the message itself.
// Blocking: as ActorRef.
// Thread safety: SharedMessage: a value.
#ifndef TROUPE_ACTOR_INTERNAL_SHARED_MESSAGE_H_
#define TROUPE_ACTOR_INTERNAL_SHARED_MESSAGE_H_

#include <concepts>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

template <typename M>
constexpr void CheckShareable() {
  static_assert(!RequestType<M>,
                "a message that is shared has many receivers: a request is "
                "answered once");
  static_assert(std::is_copy_constructible_v<M>,
                "a message that is shared is copyable: who takes it by value "
                "gets a copy");
}

template <typename M>
class SharedMessage {
 public:
  // M(args...); see ActorRef::Send().
  template <typename... Args>
  static SharedMessage Make(Args&&... args) {
    CheckShareable<M>();
    CheckArguments<M, Args...>();
    return SharedMessage(SharedBody::Make<M>(std::forward<Args>(args)...));
  }

  const M& operator*() const { return body_.template As<M>(); }
  const M* operator->() const { return &**this; }
  const SharedBody& body() const { return body_; }

 private:
  explicit SharedMessage(SharedBody body) : body_(std::move(body)) {}

  SharedBody body_;
};

// Sends to many: as SharedMessage, but with one locked instruction for as many
// receivers as are announced.
template <typename M>
class SharedSender {
 public:
  SharedSender(const SharedMessage<M>& message, uint32_t most_receivers)
      : bodies_(message.body(), most_receivers) {}

  // REQUIRES: fewer than announced have been sent to.
  SendResult TrySend(const ActorRef<M>& receiver) {
    Envelope* const envelope = MakeSharedEnvelope<M>(bodies_.Take());
    const SendResult result =
        TrySendInLane(CellOf(receiver), receiver.id().value(), envelope);
    if (IsRefused(result)) [[unlikely]]
      DestroyEnvelope(envelope);
    return result;
  }
  // What cannot be delivered becomes a dead letter.
  void Send(const ActorRef<M>& receiver) {
    SendInLane(CellOf(receiver), receiver.id().value(),
               MakeSharedEnvelope<M>(bodies_.Take()));
  }

  static Cell& CellOf(const AnyActorRef& ref) {
    return ref.cell() != nullptr ? *ref.cell() : NoCell();
  }

 private:
  SharedBodies bodies_;
};

// Sends to one of many. What cannot be delivered becomes a dead letter.
template <typename M>
void SendShared(const std::type_identity_t<ActorRef<M>>& receiver,
                const SharedMessage<M>& message) {
  SharedSender<M>(message, 1).Send(receiver);
}

// The same, before what waits and was sent without urgency.
template <typename M>
void SendSharedUrgent(const std::type_identity_t<ActorRef<M>>& receiver,
                      const SharedMessage<M>& message) {
  Cell& cell = SharedSender<M>::CellOf(receiver);
  const uint64_t id = receiver.id().value();
  Envelope* const envelope = MakeSharedEnvelope<M>(message.body());
  envelope->lane = Lane::kUrgent;
  SendInLane(cell, id, envelope);
}

// Says whether it was admitted; what was not is no dead letter.
template <typename M>
[[nodiscard]] SendResult TrySendShared(
    const std::type_identity_t<ActorRef<M>>& receiver,
    const SharedMessage<M>& message) {
  return SharedSender<M>(message, 1).TrySend(receiver);
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SHARED_MESSAGE_H_
