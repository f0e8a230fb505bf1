#include "troupe/actor/internal/call_wait.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// -- in a coroutine

void CallWait::Fail(absl::Status why) { reply_ = MakeFailure(std::move(why)); }

bool CallWait::Refuse(std::coroutine_handle<> waiting, absl::Status why) {
  Fail(std::move(why));
  return Pass(waiting);
}

// What mostly happens needs no call: so every call here is the last step of a
// way that is left for good, and the way itself saves no registers.
bool CallWait::Suspend(std::coroutine_handle<> waiting, RequestInfo& info) {
  RootTask* const root = this_handler.root;
  if (root == nullptr || root->state == nullptr) [[unlikely]]
    return SuspendSlowly(waiting, info);
  MonotonicTime now;
  if (!this_thread.worker->TellsTime(now)) [[unlikely]]
    return SuspendSlowly(waiting, info);
  return SuspendAt(now, *root, waiting, info);
}

[[gnu::noinline]] bool CallWait::SuspendSlowly(std::coroutine_handle<> waiting,
                                               RequestInfo& info) {
  if (this_handler.root == nullptr) return RefuseOutsideActor(waiting);
  RootTask& root = HandlerState::KeepCurrentRoot();
  return SuspendAt(TimeOfOwnTurn(), root, waiting, info);
}

[[gnu::always_inline]] inline bool CallWait::SuspendAt(
    MonotonicTime now, RootTask& root, std::coroutine_handle<> waiting,
    RequestInfo& info) {
  HandlerState& state = *root.state;
  Cell& caller = state.cell();
  CallPlan& plan = plan_;
  // What is known is stored at once, before it is known that the call begins:
  // so little has to be kept in registers that there are enough of them.
  PrepareUnlisted(waiting);
  info.route.where = ReplyRoute::ToActor(caller);
  const uint64_t caller_id = caller.CurrentId();
  info.route.id = caller_id;
  const MonotonicTime deadline =
      plan.timeout.DeadlineFrom(now, *caller.system, root.limit);
  if (plan.id == caller_id || deadline <= now || state.calls().has_first())
      [[unlikely]] {
    return SuspendBeside(root, waiting, info);
  }
  info.deadline = deadline;
  deadline_ns_ = deadline.ToNanoseconds();
  // The time of the deadline serves the look for deadlocks first.
  BeginUnlisted(root,
                std::min(deadline, caller.system->DeadlockCheckAfter(now)));
  info.route.number = state.calls().AddFirst<AwaitedCall>(*this);
  Envelope* const request = plan.request.release();
  const uint64_t tag = EnterSeatUnsettled();
  if (plan.target != nullptr && SendFast(*plan.target, plan.id, request, tag))
      [[likely]] {
    return true;
  }
  return SendSlowly(waiting, request, tag);
}

[[gnu::noinline]] bool CallWait::SuspendBeside(RootTask& root,
                                               std::coroutine_handle<> waiting,
                                               RequestInfo& info) {
  if (root.cancelled) {
    return Refuse(waiting, CallCancelled(name(), /*begun=*/false));
  }
  HandlerState& state = *root.state;
  Cell& caller = state.cell();
  const uint64_t caller_id = caller.CurrentId();
  if (plan_.id == caller_id) return Refuse(waiting, CallOfSelf(name()));
  const MonotonicTime now = TimeOfOwnTurn();
  const MonotonicTime deadline =
      plan_.timeout.DeadlineFrom(now, *caller.system, root.limit);
  if (deadline <= now) return Refuse(waiting, CallTooLate(name()));
  state.calls().Add<AwaitedCall>(*this);
  info.route = ReplyRoute::To(caller, caller_id, number());
  info.deadline = deadline;
  deadline_ns_ = deadline.ToNanoseconds();
  Begin(root, waiting,
        std::min(deadline, caller.system->DeadlockCheckAfter(now)));
  return SendSlowly(waiting, plan_.request.release(), EnterSeatUnsettled());
}

[[gnu::noinline]] bool CallWait::SendSlowly(std::coroutine_handle<> waiting,
                                            Envelope* request, uint64_t tag) {
  const SendResult sent =
      SendSlow(plan_.target != nullptr ? *plan_.target : NoCell(), plan_.id,
               request, tag);
  return !IsRefused(sent) || TakeBack(waiting, request, sent);
}

bool CallWait::TakeBack(std::coroutine_handle<> waiting, Envelope* request,
                        SendResult sent) {
  (void)state()->calls().Take(number());
  End();
  DestroyEnvelope(request);
  return Refuse(waiting, CallRefused(name(), sent));
}

bool CallWait::RefuseOutsideActor(std::coroutine_handle<> waiting) {
  return Refuse(waiting, CallOutsideActor(name()));
}

void HandleRareReply(HandlerState& handler, Envelope* reply) {
  const CallRef call = handler.calls().Take(NumberOf(*reply));
  if (call.IsNull()) {
    DestroyEnvelope(reply);
  } else if (call.IsAwaited()) {
    static_cast<CallWait&>(call.awaited()).SetReply(reply);
  } else {
    call.pending().OnReply(EnvelopePtr(reply));
  }
}

void HandlerState::List(AwaitedCall& call) {
  static_cast<Wait&>(static_cast<CallWait&>(call)).List();
}

std::optional<WaitedCall> CallWait::ItsCall() const {
  return WaitedCall{plan_.target, plan_.id, request_type(), number()};
}

void CallWait::OnDue(HandlerState& state) {
  if (GoesOn()) return;
  const MonotonicTime deadline = MonotonicTime::FromNanoseconds(deadline_ns_);
  if (time() < deadline) {
    if (deadline < MonotonicTime::InfiniteFuture()) {
      state.Schedule(*this, deadline);
    }
    LookForDeadlock(state.cell(), *ItsCall());
    return;
  }
  (void)state.calls().Take(number());
  Fail(time() == handler_deadline()
           ? CallerTimedOut(name())
           : CallTimedOut(name(), plan_.timeout.Length(*state.cell().system)));
  Resume();
}

void CallWait::OnCancel(const absl::Status&) {
  GiveUp();
  Fail(CallCancelled(name(), /*begun=*/true));
  Resume();
}

void CallWait::GiveUp() {
  HandlerState& state = *this->state();
  (void)state.calls().Take(number());
  Cell& caller = state.cell();
  SendCancel(*plan_.target, plan_.id,
             ReplyRoute::To(caller, caller.CurrentId(), number()));
}

void CallWait::Drop() {
  if (is_waiting()) {
    GiveUp();
  } else {
    DestroyEnvelope(reply_);
  }
}

// -- on a plain thread

EnvelopePtr CallAndBlock(CallPlan plan) {
  const CallName name = plan.name();
  const auto refuse = [](absl::Status why) {
    return EnvelopePtr(MakeFailure(std::move(why)));
  };
  if (this_thread.InTurn()) return refuse(WaitInHandler(name));
  const std::shared_ptr<SystemCore> system = IdSpace::Find(plan.id);
  if (system == nullptr || plan.target == nullptr) {
    return refuse(CallRefused(name, SendResult::kNoActor));
  }
  Executor& executor = system->executor();
  const MonotonicTime began = executor.clock().Now();
  const MonotonicTime deadline =
      plan.timeout.DeadlineFrom(began, *system, CurrentDeadline());
  if (deadline <= began) return refuse(CallTooLate(name));
  const BlockedThreadPtr thread(new BlockedThread);
  RequestInfo& info = InfoOf(*plan.request);
  info.route = thread->route();
  info.deadline = deadline;
  Envelope* const request = plan.request.release();
  const SendResult sent = TrySendEnvelope(*plan.target, plan.id, request);
  if (IsRefused(sent)) {
    FailRequest(*request, CallRefused(name, sent));
    DestroyEnvelope(request);
  }
  if (!executor.WaitFor(thread->answered(), deadline)) {
    return refuse(CallTimedOut(name, deadline - began));
  }
  return thread->TakeReply();
}

}  // namespace troupe::internal
