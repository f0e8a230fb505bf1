// An AdaptedRef<From> lets senders of From reach an actor that takes another
// message:
//
//   AdaptedRef<Price> quotes = view.Adapt<Price>(
//       [](const Price& price) { return Redraw(price.symbol); });
//
// Ownership: shares the conversion among its copies; otherwise as ActorRef.
// Thread safety: any thread; so the conversion must be callable from several
// threads at once. It runs on the sender's.
#ifndef TROUPE_ACTOR_ADAPTED_REF_H_
#define TROUPE_ACTOR_ADAPTED_REF_H_

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "troupe/actor/actor_ref.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/send_result.h"

namespace troupe {

template <typename From>
class AdaptedRef {
 public:
  // Refers to no actor.
  AdaptedRef() = default;

  // The actor that gets the converted messages.
  const AnyActorRef& target() const { return target_; }

  // Builds From(args...), converts it and sends what comes out.
  template <typename... Args>
  void Send(Args&&... args) const {
    const From message(std::forward<Args>(args)...);
    if (send_ != nullptr) (void)(*send_)(message, /*must_arrive=*/true);
  }
  // Says whether the converted message was admitted; `message` stays with the
  // caller in any case.
  SendResult TrySend(const From& message) const {
    return send_ != nullptr ? (*send_)(message, /*must_arrive=*/false)
                            : SendResult::kNoActor;
  }

 private:
  template <typename... Ps>
  friend class ActorRef;
  using SendFunction = std::function<SendResult(const From&, bool)>;

  AdaptedRef(AnyActorRef target, SendFunction send)
      : target_(target),
        send_(std::make_shared<const SendFunction>(std::move(send))) {}

  AnyActorRef target_;
  std::shared_ptr<const SendFunction> send_;
};

template <typename... Ps>
template <typename From, typename F>
AdaptedRef<From> ActorRef<Ps...>::Adapt(F convert) const {
  using To = std::remove_cvref_t<std::invoke_result_t<const F&, const From&>>;
  CheckMessage<To>();
  return AdaptedRef<From>(
      *this, [ref = ActorRef<To>(*this), convert = std::move(convert)](
                 const From& message, bool must_arrive) {
        if (!must_arrive) return ref.TrySend(convert(message));
        ref.template Send<To>(convert(message));
        return SendResult::kSent;
      });
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_ADAPTED_REF_H_
