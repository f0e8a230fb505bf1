#include "troupe/actor/internal/detached_call.h"

#include <utility>

#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

EnvelopePtr DetachedCall::Begin(CallPlan plan) {
  Cell& caller = *CurrentActor();
  const MonotonicTime now = TimeOfTurn(*caller.system);
  const MonotonicTime deadline =
      timeout_.DeadlineFrom(now, *caller.system, CurrentDeadline());
  if (deadline <= now) return Refusal(CallTooLate(name()));
  HandlerState& state = HandlerState::Of(caller);
  state.calls().Add(*this);
  RequestInfo& info = InfoOf(*plan.request);
  info.route = ReplyRoute::To(caller, caller.CurrentId(), number());
  info.deadline = deadline;
  const SendResult sent = TrySendEnvelope(
      target_ != nullptr ? *target_ : NoCell(), target_id_, plan.request.get());
  if (IsRefused(sent)) {
    (void)state.calls().Take(number());
    return Refusal(CallRefused(name(), sent));
  }
  (void)plan.request.release();
  state_ = &state;
  if (deadline < MonotonicTime::InfiniteFuture()) {
    state.Schedule(*this, deadline);
  }
  return nullptr;
}

bool DetachedCall::IsMine() const {
  return state_ == nullptr || CurrentActor() == &state_->cell();
}

HandlerState& DetachedCall::Leave() {
  HandlerState& state = *std::exchange(state_, nullptr);
  state.Unschedule(*this);
  return state;
}

void DetachedCall::Cancel() {
  TROUPE_CHECK(IsMine(), "a started call is dropped by the actor that made it");
  HandlerState& state = Leave();
  (void)state.calls().Take(number());
  Cell& caller = state.cell();
  SendCancel(*target_, target_id_,
             ReplyRoute::To(caller, caller.CurrentId(), number()));
}

void DetachedCall::OnReply(EnvelopePtr reply) {
  Leave();
  OnOver(std::move(reply));
}

void DetachedCall::OnDue(HandlerState& state) {
  (void)state.calls().Take(number());
  Leave();
  OnOver(Refusal(CallTimedOut(name(), timeout_.Length(*state.cell().system))));
}

void DetachedCall::OnActorGone() {
  Cancel();
  OnAbandoned();
}

}  // namespace troupe::internal
