// A call whose answer is sent on to another actor.
#ifndef TROUPE_ACTOR_INTERNAL_FORWARDED_CALL_H_
#define TROUPE_ACTOR_INTERNAL_FORWARDED_CALL_H_

#include <memory>
#include <utility>

#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/detached_call.h"
#include "troupe/actor/internal/frame_memory.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Ownership: its own, once begun, until the answer is sent on or the actor has
// ended. Outside of actors it is over at once.
class ForwardedCall : public DetachedCall, public FrameMemory {
 public:
  virtual ~ForwardedCall() = default;

  // REQUIRES: `plan` is what `call` was made from.
  static void Begin(std::unique_ptr<ForwardedCall> call, CallPlan plan);

 protected:
  explicit ForwardedCall(const CallPlan& plan) : DetachedCall(plan) {}

 private:
  // User code.
  virtual void SendOn(EnvelopePtr reply) = 0;

  void OnOver(EnvelopePtr reply) override;
  void OnAbandoned() override { delete this; }
};

// What the call yields goes to `send`.
template <typename Outcome, typename F>
class ForwardedCallTo final : public ForwardedCall {
 public:
  ForwardedCallTo(const CallPlan& plan, F send)
      : ForwardedCall(plan), send_(std::move(send)) {}

 private:
  void SendOn(EnvelopePtr reply) override {
    send_(OutcomeIn<Outcome>(std::move(reply)));
  }

  F send_;
};

template <typename Outcome, typename F>
void ForwardCall(CallPlan plan, F send) {
  auto call =
      std::make_unique<ForwardedCallTo<Outcome, F>>(plan, std::move(send));
  ForwardedCall::Begin(std::move(call), std::move(plan));
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_FORWARDED_CALL_H_
