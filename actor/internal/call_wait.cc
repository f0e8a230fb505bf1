#include "troupe/actor/internal/call_wait.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include "troupe/actor/internal/frame_memory.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

MonotonicTime DeadlineFor(absl::Duration timeout, MonotonicTime now,
                          const SystemCore& system) {
  if (timeout == CallPlan::kDefaultTimeout) {
    timeout = system.limits().call_timeout;
  }
  return std::min(now + timeout, CurrentDeadline());
}

// -- in a coroutine

CallWait::~CallWait() {
  if (is_waiting()) GiveUp();
}

bool CallWait::Call(std::coroutine_handle<> waiting) {
  const CallName name = plan_.name();
  Cell* const caller = CurrentActor();
  if (caller == nullptr || this_handler.root == nullptr) [[unlikely]] {
    result_.error = CallOutsideActor(name);
    return false;
  }
  if (IsCancelled()) [[unlikely]] {
    result_.error = CallCancelled(name, /*begun=*/false);
    return false;
  }
  const uint64_t caller_id = caller->CurrentId();
  if (plan_.id == caller_id) [[unlikely]] {
    result_.error = CallOfSelf(name);
    return false;
  }
  began_ = TimeOfTurn(*caller->system);
  const MonotonicTime deadline =
      DeadlineFor(plan_.timeout, began_, *caller->system);
  if (deadline <= began_) [[unlikely]] {
    result_.error = CallTooLate(name);
    return false;
  }
  HandlerState& state = HandlerState::Of(*caller);
  number_ = state.calls().Add(*this);
  Envelope* const request = plan_.request.release();
  RequestInfo& info = InfoOf(*request);
  info.route = ReplyRoute::To(*caller, caller_id, number_);
  info.deadline = deadline;
  Cell& target = plan_.target != nullptr ? *plan_.target : NoCell();
  const SendResult sent = TrySendEnvelope(target, plan_.id, request);
  if (IsRefused(sent)) [[unlikely]] {
    (void)state.calls().Take(number_);
    result_.error = CallRefused(name, sent);
    info.route = ReplyRoute();
    DestroyEnvelope(request);
    return false;
  }
  request_type_ = name.request;
  Begin(state, waiting, deadline);
  return true;
}

void CallWait::OnReply(EnvelopePtr reply) {
  result_.reply = std::move(reply);
  Resume();
}

void CallWait::OnDue(HandlerState& state) {
  (void)state.calls().Take(number_);
  result_.error =
      CallTimedOut({ActorId(plan_.id), request_type_}, time() - began_);
  Resume();
}

void CallWait::OnCancel(const absl::Status&) {
  GiveUp();
  result_.error =
      CallCancelled({ActorId(plan_.id), request_type_}, /*begun=*/true);
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

namespace {

// Shared by the thread that waits and the route of the request: each leaves
// once, the last one deletes it.
class BlockedCall final : public ReplySink, public FrameMemory {
 public:
  void Take(EnvelopePtr reply) override {
    reply_ = std::move(reply);
    answered_.Set();
    Leave();
  }
  // Release pairs with the acquire of the other's: who deletes sees all that
  // the other did.
  void Leave() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  Event& answered() { return answered_; }
  // REQUIRES: answered.
  EnvelopePtr TakeReply() { return std::move(reply_); }

 private:
  ~BlockedCall() = default;

  EnvelopePtr reply_;  // Written before the event is set.
  Event answered_;
  std::atomic<int> users_{2};
};

struct Leaver {
  void operator()(BlockedCall* call) const { call->Leave(); }
};

}  // namespace

CallResult CallAndBlock(CallPlan plan) {
  const CallName name = plan.name();
  if (this_thread.InTurn()) return {nullptr, WaitInHandler(name)};
  const std::shared_ptr<SystemCore> system = IdSpace::Find(plan.id);
  if (system == nullptr || plan.target == nullptr) {
    return {nullptr, CallRefused(name, SendResult::kNoActor)};
  }
  Executor& executor = system->executor();
  const MonotonicTime began = executor.clock().Now();
  const MonotonicTime deadline = DeadlineFor(plan.timeout, began, *system);
  if (deadline <= began) return {nullptr, CallTooLate(name)};
  const std::unique_ptr<BlockedCall, Leaver> call(new BlockedCall);
  RequestInfo& info = InfoOf(*plan.request);
  info.route = ReplyRoute::To(*call);
  info.deadline = deadline;
  Envelope* const request = plan.request.release();
  const SendResult sent = TrySendEnvelope(*plan.target, plan.id, request);
  if (IsRefused(sent)) {
    FailRequest(*request, CallRefused(name, sent));
    DestroyEnvelope(request);
  }
  if (!executor.WaitFor(call->answered(), deadline)) {
    return {nullptr, CallTimedOut(name, deadline - began)};
  }
  return {call->TakeReply(), absl::OkStatus()};
}

}  // namespace troupe::internal
