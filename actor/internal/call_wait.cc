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

void CallWait::Fail(absl::Status why) {
  plan_.request = EnvelopePtr(MakeFailure(std::move(why)));
}

bool CallWait::Refuse(std::coroutine_handle<> waiting, absl::Status why) {
  Fail(std::move(why));
  return Pass(waiting);
}

bool CallWait::Suspend(std::coroutine_handle<> waiting, RequestInfo& info) {
  RootTask* root = this_handler.root;
  if (root == nullptr || root->state == nullptr) [[unlikely]] {
    if (root == nullptr) return RefuseOutsideActor(waiting);
    root = &HandlerState::KeepCurrentRoot();
  }
  HandlerState& state = *root->state;
  Cell& caller = state.cell();
  const uint64_t caller_id = caller.CurrentId();
  const MonotonicTime now = TimeOfOwnTurn();
  const MonotonicTime deadline =
      plan_.timeout.DeadlineFrom(now, *caller.system, root->limit);
  if (deadline <= now || plan_.id == caller_id || state.calls().has_first())
      [[unlikely]] {
    return SuspendBeside(*root, waiting, info);
  }
  state.calls().AddFirst(*this);
  info.route = ReplyRoute::To(caller, caller_id, number());
  info.deadline = deadline;
  deadline_ns_ = deadline.ToNanoseconds();
  // The time of the deadline serves the look for deadlocks first.
  BeginUnlisted(*root, waiting,
                std::min(deadline, caller.system->DeadlockCheckAfter(now)));
  return Send(waiting);
}

bool CallWait::SuspendBeside(RootTask& root, std::coroutine_handle<> waiting,
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
  state.calls().Add(*this);
  info.route = ReplyRoute::To(caller, caller_id, number());
  info.deadline = deadline;
  deadline_ns_ = deadline.ToNanoseconds();
  Begin(root, waiting,
        std::min(deadline, caller.system->DeadlockCheckAfter(now)));
  return Send(waiting);
}

inline bool CallWait::Send(std::coroutine_handle<> waiting) {
  Envelope* const request = plan_.request.release();
  const SendResult sent = TrySendEnvelope(
      plan_.target != nullptr ? *plan_.target : NoCell(), plan_.id, request);
  if (IsRefused(sent)) [[unlikely]]
    return TakeBack(waiting, request, sent);
  return true;
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

const CallEntry::Type CallWait::kEntry = {
    .answer =
        [](CallEntry& call, Envelope* reply) {
          static_cast<CallWait&>(call).TakeReply(reply);
        },
    // Its coroutine has ended before.
    .actor_gone = nullptr,
    .list = [](CallEntry& call) { static_cast<CallWait&>(call).List(); },
};

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
