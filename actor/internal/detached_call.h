// A call of an actor whose answer comes outside of any coroutine: one that was
// started, or is forwarded. The part that does not depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_DETACHED_CALL_H_
#define TROUPE_ACTOR_INTERNAL_DETACHED_CALL_H_

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/deadlock.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Ownership: its implementation's. While it is under way it must neither move
// nor die other than by the actor that made it.
class DetachedCall : public Occasion, public PendingCall {
 public:
  DetachedCall(const DetachedCall&) = delete;
  DetachedCall& operator=(const DetachedCall&) = delete;

  CallName name() const { return {ActorId(target_id_), type_}; }
  // Whether the calling code is that of the actor which made the call, or the
  // call is over.
  bool IsMine() const;
  // REQUIRES: it is under way.
  WaitedCall waited_call() const {
    return {target_, target_id_, type_, number()};
  }

  void OnReply(EnvelopePtr reply) final;
  void OnDue(HandlerState& state) final;
  void OnActorGone() final;

 protected:
  explicit DetachedCall(const CallPlan& plan)
      : target_(plan.target),
        target_id_(plan.id),
        type_(plan.request->type),
        timeout_(plan.timeout) {}
  // Cancels what is under way.
  ~DetachedCall() {
    if (state_ != nullptr) Cancel();
  }

  // Makes the call. Null: it is under way. Else it is over already, by this.
  // REQUIRES: in the code of an actor; `plan` is what this was made from.
  [[nodiscard]] EnvelopePtr Begin(CallPlan plan);

  // It is over: by the reply, or a failure. Outside the seat; the call may be
  // gone on return.
  virtual void OnOver(EnvelopePtr reply) = 0;
  // The same, as its actor has ended; it has been cancelled.
  virtual void OnAbandoned() = 0;

 private:
  HandlerState& Leave();
  void Cancel();

  HandlerState* state_ = nullptr;  // While the answer may come.
  Cell* const target_;
  const uint64_t target_id_;
  const MessageType* const type_;
  const CallTimeout timeout_;
};

// A failure, as the reply of a call that has got none.
inline EnvelopePtr Refusal(absl::Status why) {
  return EnvelopePtr(MakeFailure(std::move(why)));
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_DETACHED_CALL_H_
