#include "troupe/actor/internal/started_call.h"

#include <algorithm>

#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/check.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// -- of an actor

CallOfActor::CallOfActor(CallPlan plan) : DetachedCall(plan) {
  reply_ = plan.id == CurrentActor()->CurrentId() ? Refusal(CallOfSelf(name()))
                                                  : Begin(std::move(plan));
}

void CallOfActor::OnOver(EnvelopePtr reply) {
  reply_ = std::move(reply);
  if (waiting_ != nullptr) waiting_->Resume();
}

void CallOfActor::OnAbandoned() {
  reply_ = Refusal(CallCancelled(name(), /*begun=*/true));
}

// -- of a plain thread

CallOfThread::CallOfThread(CallPlan plan)
    : target(plan.target), target_id(plan.id), type(plan.request->type) {
  const CallName name = plan.name();
  const std::shared_ptr<SystemCore> system = IdSpace::Find(plan.id);
  if (system == nullptr || plan.target == nullptr) {
    reply = Refusal(CallRefused(name, SendResult::kNoActor));
    return;
  }
  began = system->executor().clock().Now();
  deadline = plan.timeout.DeadlineFrom(began, *system,
                                       MonotonicTime::InfiniteFuture());
  if (deadline <= began) {
    reply = Refusal(CallTooLate(name));
    return;
  }
  thread.reset(new BlockedThread);
  route = thread->route();
  RequestInfo& info = InfoOf(*plan.request);
  info.route = route;
  info.deadline = deadline;
  Envelope* const request = plan.request.release();
  const SendResult sent = TrySendEnvelope(*plan.target, plan.id, request);
  if (IsRefused(sent)) {
    FailRequest(*request, CallRefused(name, sent));
    DestroyEnvelope(request);
  }
}

CallOfThread::~CallOfThread() {
  if (!is_over()) SendCancel(*target, target_id, route);
}

bool CallOfThread::is_over() const {
  return thread == nullptr || thread->answered().IsSet();
}

EnvelopePtr CallOfThread::Await() {
  const CallName name = {ActorId(target_id), type};
  if (thread == nullptr) return std::move(reply);
  if (this_thread.InTurn()) return Refusal(WaitInHandler(name));
  const std::shared_ptr<SystemCore> system = IdSpace::Find(target_id);
  // With the system gone, the answer has been given.
  if (system != nullptr &&
      !system->executor().WaitFor(thread->answered(), deadline)) {
    return Refusal(CallTimedOut(name, deadline - began));
  }
  return thread->TakeReply();
}

// -- either

CallUnderWay::CallUnderWay(CallPlan plan) {
  if (CurrentActor() != nullptr) {
    by_actor_ = std::make_unique<CallOfActor>(std::move(plan));
  } else {
    by_thread_ = std::make_unique<CallOfThread>(std::move(plan));
  }
}

EnvelopePtr CallUnderWay::Await() {
  if (by_actor_ != nullptr) return Refusal(WaitInHandler(by_actor_->name()));
  return by_thread_->Await();
}

StartedCallWait::~StartedCallWait() {
  if (is_waiting()) call_.by_actor()->set_waiting(nullptr);
}

bool StartedCallWait::await_suspend(std::coroutine_handle<> waiting) {
  CallOfActor* const call = call_.by_actor();
  TROUPE_CHECK(call != nullptr && call->IsMine(),
               "a started call is awaited by the actor that made it");
  if (call->is_over()) return Pass(waiting);
  if (IsCancelled()) {
    refusal_ = Refusal(CallCancelled(call->name(), /*begun=*/true));
    return Pass(waiting);
  }
  call->set_waiting(this);
  Cell& caller = *CurrentActor();
  // As in CallWait: the entry of the deadline serves the look for cycles first.
  Begin(*caller.handler, waiting,
        std::min(CurrentDeadline(), caller.system->DeadlockCheckAfter(
                                        TimeOfTurn(*caller.system))));
  return true;
}

void StartedCallWait::OnDue(HandlerState& state) {
  if (GoesOn()) return;
  if (time() < handler_deadline()) {
    if (handler_deadline() < MonotonicTime::InfiniteFuture()) {
      state.Schedule(*this, handler_deadline());
    }
    LookForDeadlock(state.cell(), *ItsCall());
    return;
  }
  CallOfActor* const call = call_.by_actor();
  call->set_waiting(nullptr);
  refusal_ = Refusal(CallerTimedOut(call->name()));
  Resume();
}

void StartedCallWait::OnCancel(const absl::Status&) {
  CallOfActor* const call = call_.by_actor();
  call->set_waiting(nullptr);
  refusal_ = Refusal(CallCancelled(call->name(), /*begun=*/true));
  Resume();
}

EnvelopePtr StartedCallWait::TakeReply() {
  return refusal_ != nullptr ? std::move(refusal_)
                             : call_.by_actor()->TakeReply();
}

}  // namespace troupe::internal
