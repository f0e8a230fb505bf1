// ActorRef<P...> is a reference to an actor that takes the messages of P...:
// protocols, or single messages.
//
//   ActorRef<AccountApi> account = ...;
//   account.Send<Deposit>(100);              // built in place: Deposit(100)
//   ActorRef<Deposit> payee = account;       // to a subset, always
//
// Order: messages from one actor, or one thread, to one actor arrive in the
// order sent. Urgent ones overtake.
// Ownership: none; see any_actor_ref.h. 16 bytes, trivially copyable.
// Blocking: sending never blocks.
// Thread safety: a value; any thread.
#ifndef TROUPE_ACTOR_ACTOR_REF_H_
#define TROUPE_ACTOR_ACTOR_REF_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/call.h"
#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/internal/build.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/pending_send.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {

template <typename From>
class AdaptedRef;
template <typename... Ps>
class TimedRef;

template <typename... Ps>
class ActorRef : public AnyActorRef {
 public:
  using Messages = MessagesOf<Ps...>;

  // Refers to no actor: whatever is sent to it is a dead letter.
  constexpr ActorRef() = default;

  // From a reference that takes all of these messages.
  template <typename... Qs>
  requires internal::kIsSubset<Messages, MessagesOf<Qs...>>
  // NOLINTNEXTLINE(google-explicit-constructor)
  constexpr ActorRef(const ActorRef<Qs...>& other) : AnyActorRef(other) {}

  // Sends M(args...): fire and forget. What cannot be delivered becomes a dead
  // letter. If M's constructor throws, nothing is sent.
  template <typename M, typename... Args>
  void Send(Args&&... args) const {
    CheckMessage<M>();
    internal::SendEnvelope(Target(), id_,
                           internal::Build<M>(std::forward<Args>(args)...));
  }
  template <typename M>
  requires(!std::is_lvalue_reference_v<M>) void Send(M&& message) const {
    using Message = std::remove_cvref_t<M>;
    CheckMessage<Message>();
    internal::SendEnvelope(Target(), id_,
                           internal::Build<Message>(std::move(message)));
  }

  // As Send(), before what waits and was sent without urgency.
  template <typename M, typename... Args>
  void SendUrgent(Args&&... args) const {
    CheckMessage<M>();
    Envelope* const envelope = internal::Build<M>(std::forward<Args>(args)...);
    envelope->lane = Lane::kUrgent;
    const SendResult result = internal::TrySendInLane(Target(), id_, envelope);
    if (IsRefused(result)) {
      internal::BecomeDeadLetter(Target(), id_, envelope, result);
    }
  }

  // Sends `message`, and says whether it was admitted. A refused message stays
  // as it was with the caller, and is no dead letter. It is moved there and
  // back; a move that throws does so here, whichever it is.
  template <typename M>
  requires(!std::is_lvalue_reference_v<M>) SendResult TrySend(M&& message)
  const {
    using Message = std::remove_cvref_t<M>;
    CheckMessage<Message>();
    Envelope* const envelope =
        internal::MakeMessage<Message>(std::move(message));
    const SendResult result =
        internal::TrySendEnvelope(Target(), id_, envelope);
    if (IsRefused(result)) [[unlikely]] {
      const EnvelopePtr refused(envelope);
      if constexpr (std::is_nothrow_move_constructible_v<Message>) {
        std::destroy_at(&message);
        std::construct_at(&message, std::move(refused->As<Message>()));
      } else {
        static_assert(std::is_move_assignable_v<Message>,
                      "a message whose move may throw must be assignable to be "
                      "given back where it is refused");
        message = std::move(refused->As<Message>());
      }
    }
    return result;
  }

  // Sends M(args...) once a bounded mailbox has space for it, to be awaited in
  // a Task, or waited for by a plain thread; see PendingSend. A mailbox without
  // bounds, or with another policy than OverflowPolicy::kAwait, decides at
  // once.
  template <typename M, typename... Args>
  PendingSend SendWhenReady(Args&&... args) const {
    CheckMessage<M>();
    static_assert(
        !(internal::kDestroyedTwiceWhenAwaited<Args> || ...),
        "GCC before 13 would destroy this aggregate twice where it is "
        "awaited: give what the message is built from, or name the "
        "aggregate");
    return PendingSend(
        *this, EnvelopePtr(internal::Build<M>(std::forward<Args>(args)...)));
  }

  // A request M(args...), made when it is awaited; see Call.
  template <typename M, typename... Args>
  auto Call(Args&&... args) const {
    CheckMessage<M>();
    static_assert(
        !(internal::kDestroyedTwiceWhenAwaited<Args> || ...),
        "GCC before 13 would destroy this aggregate twice where it is "
        "awaited: give what the message is built from, or name the "
        "aggregate");
    static_assert(RequestType<M>,
                  "this message has no answer to wait for: name it with using "
                  "Reply = ..., or use Send()");
    return troupe::Call<M>(internal::CallPlan{
        cell_, id_,
        EnvelopePtr(internal::BuildCalled<M>(std::forward<Args>(args)...)),
        internal::CallTimeout()});
  }

  // The same reference with a time for its calls: see timed_ref.h, which
  // defines this.
  TimedRef<Ps...> WithTimeout(absl::Duration timeout) const;

  // A reference for senders of From: each message is converted by
  // `convert(const From&)` on its sender's thread.
  template <typename From, typename F>
  AdaptedRef<From> Adapt(F convert) const;

  // For the runtime.
  constexpr ActorRef(internal::Cell* cell, uint64_t id)
      : AnyActorRef(cell, id) {}

 private:
  template <typename M>
  static void CheckMessage() {
    static_assert(internal::kListContains<Messages, M>,
                  "this actor does not take this message: it is in none of the "
                  "protocols of the ActorRef");
  }
  internal::Cell& Target() const {
    return cell_ != nullptr ? *cell_ : internal::NoCell();
  }
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_ACTOR_REF_H_
