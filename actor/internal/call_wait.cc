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

int64_t CallTimeout::DefaultOf(const SystemCore& system) {
  return system.limits().call_timeout_ns;
}

// -- in a coroutine

void CallWait::Fail(absl::Status why) {
  plan_.request = EnvelopePtr(MakeFailure(std::move(why)));
}

bool CallWait::Refuse(std::coroutine_handle<> waiting, absl::Status why) {
  Fail(std::move(why));
  return Pass(waiting);
}

bool CallWait::Suspend(std::coroutine_handle<> waiting, RequestInfo& info) {
  if (this_handler.root == nullptr) [[unlikely]] {
    return Refuse(waiting, CallOutsideActor(name()));
  }
  if (IsCancelled()) [[unlikely]] {
    return Refuse(waiting, CallCancelled(name(), /*begun=*/false));
  }
  RootTask& root = HandlerState::KeepCurrentRoot();
  HandlerState& state = *root.state;
  Cell& caller = state.cell();
  const uint64_t caller_id = caller.CurrentId();
  if (plan_.id == caller_id) [[unlikely]] {
    return Refuse(waiting, CallOfSelf(name()));
  }
  // One visit to the seat, for the time and for the request.
  const uint64_t tag = EnterSeat();
  const MonotonicTime now = TimeInSeat(*caller.system, tag);
  const MonotonicTime deadline =
      plan_.timeout.DeadlineFrom(now, *caller.system, DeadlineOf(root));
  if (deadline <= now) [[unlikely]] {
    LeaveSeat();
    return Refuse(waiting, CallTooLate(name()));
  }
  number_ = state.calls().Add(*this);
  info.route = ReplyRoute::To(caller, caller_id, number_);
  info.deadline = deadline;
  const SendResult sent =
      TrySendFromSeat(plan_.target != nullptr ? *plan_.target : NoCell(),
                      plan_.id, plan_.request.get(), tag);
  if (IsRefused(sent)) [[unlikely]] {
    (void)state.calls().Take(number_);
    return Refuse(waiting, CallRefused(name(), sent));
  }
  (void)plan_.request.release();
  deadline_ = deadline;
  // The entry of the deadline serves the look for deadlocks first.
  Begin(root, waiting,
        std::min(deadline, caller.system->DeadlockCheckAfter(now)));
  return true;
}

const CallEntry::Type CallWait::kEntry = {
    .answer =
        [](CallEntry& call, Envelope* reply) {
          static_cast<CallWait&>(call).TakeReply(reply);
        },
    // Its coroutine has ended before.
    .actor_gone = nullptr,
};

std::optional<WaitedCall> CallWait::ItsCall() const {
  return WaitedCall{plan_.target, plan_.id, request_type(), number_};
}

void CallWait::OnDue(HandlerState& state) {
  if (GoesOn()) return;
  if (time() < deadline_) {
    if (deadline_ < MonotonicTime::InfiniteFuture()) {
      state.Schedule(*this, deadline_);
    }
    LookForDeadlock(state.cell(), *ItsCall());
    return;
  }
  (void)state.calls().Take(number_);
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
  (void)state.calls().Take(number_);
  Cell& caller = state.cell();
  SendCancel(*plan_.target, plan_.id,
             ReplyRoute::To(caller, caller.CurrentId(), number_));
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
