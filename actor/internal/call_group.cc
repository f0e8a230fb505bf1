#include "troupe/actor/internal/call_group.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/actor/internal/detached_call.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/scheduler/event.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

void CallGroup::End(GroupedCall& call, EnvelopePtr reply) {
  call.End(std::move(reply));
  --left;
  if (first_to_end == nullptr) first_to_end = &call;
  last_to_end = &call;
  if (is_enough != nullptr && is_enough(*call.envelope())) enough = &call;
}

void CallGroup::Fail(GroupedCall& call, absl::Status why) {
  End(call, Refusal(std::move(why)));
}

absl::Status NoneAnswered(CallGroup& group,
                          absl::Status (*status_of)(Envelope& reply)) {
  const absl::string_view type(group.request->name.data(),
                               group.request->name.size());
  if (group.calls.empty()) {
    return WithDelivery(absl::NotFoundError(absl::StrCat(
                            "calling any of no actors with ", type)),
                        DeliveryState::kNotDelivered);
  }
  DeliveryState delivery = DeliveryState::kNotDelivered;
  for (GroupedCall& call : group.calls) {
    const DeliveryState one = Delivery(status_of(*call.envelope()));
    if (one == DeliveryState::kUnknown || delivery == DeliveryState::kUnknown) {
      delivery = DeliveryState::kUnknown;
    } else {
      delivery = std::max(delivery, one);
    }
  }
  const absl::Status first = status_of(*group.first_to_end->envelope());
  const absl::Status last = status_of(*group.last_to_end->envelope());
  std::string text =
      absl::StrCat("calling any of ", group.calls.size(), " actors with ", type,
                   ": all failed; the first: ", first.ToString());
  if (group.calls.size() > 1) {
    absl::StrAppend(&text, "; the last: ", last.ToString());
  }
  return WithDelivery(absl::Status(last.code(), text), delivery);
}

// -- in a coroutine

bool CallGroupWait::await_suspend(std::coroutine_handle<> waiting) {
  if (this_handler.root == nullptr) {
    group_.FailAll(CallOutsideActor);
    return Pass(waiting);
  }
  if (IsCancelled()) {
    group_.FailAll([](const CallName& name) {
      return CallCancelled(name, /*begun=*/false);
    });
    return Pass(waiting);
  }
  RootTask& root = HandlerState::KeepCurrentRoot();
  Cell& caller = root.state->cell();
  const MonotonicTime now = TimeOfTurn(*caller.system);
  deadline_ =
      group_.timeout.DeadlineFrom(now, *caller.system, DeadlineOf(root));
  if (deadline_ <= now) {
    group_.FailAll(CallTooLate);
    return Pass(waiting);
  }
  MakeAll(*root.state);
  if (group_.is_over()) return Pass(waiting);
  Begin(root, waiting,
        std::min(deadline_, caller.system->DeadlockCheckAfter(now)));
  return true;
}

void CallGroupWait::MakeAll(HandlerState& state) {
  struct Undoing {
    ~Undoing() {
      if (!done) wait.GiveUp(state);
    }
    CallGroupWait& wait;
    HandlerState& state;
    bool done;
  } undoing{*this, state, false};  // If one of them throws.
  for (GroupedCall& call : group_.calls) Make(call, state);
  undoing.done = true;
}

void CallGroupWait::Make(GroupedCall& call, HandlerState& state) {
  Cell& caller = state.cell();
  const uint64_t caller_id = caller.CurrentId();
  const uint64_t target_id = call.target().id().value();
  if (target_id == caller_id) {
    return group_.Fail(call, CallOfSelf(group_.NameOf(call)));
  }
  call.group_ = this;
  state.calls().Add(call);
  RequestInfo& info = InfoOf(*call.envelope());
  info.route = ReplyRoute::To(caller, caller_id, call.number());
  info.deadline = deadline_;
  const SendResult sent =
      TrySendEnvelope(call.cell(), target_id, call.envelope().get());
  if (IsRefused(sent)) {
    (void)state.calls().Take(call.number());
    return group_.Fail(call, CallRefused(group_.NameOf(call), sent));
  }
  (void)call.envelope().release();
  call.is_awaited_ = true;
}

void CallGroupWait::TakeReply(GroupedCall& call, EnvelopePtr reply) {
  call.is_awaited_ = false;
  group_.End(call, std::move(reply));
  if (!group_.is_over()) return;
  GiveUp(*state());
  Resume();
}

void CallGroupWait::GiveUp(HandlerState& state) {
  Cell& caller = state.cell();
  for (GroupedCall& call : group_.calls) {
    if (!std::exchange(call.is_awaited_, false)) continue;
    (void)state.calls().Take(call.number());
    SendCancel(call.cell(), call.target().id().value(),
               ReplyRoute::To(caller, caller.CurrentId(), call.number()));
  }
}

std::optional<WaitedCall> CallGroupWait::ItsCall() const {
  if (group_.left != 1) return std::nullopt;
  const auto last =
      std::find_if(group_.calls.begin(), group_.calls.end(),
                   [](const GroupedCall& call) { return !call.is_over(); });
  return WaitedCall{&last->cell(), last->target().id().value(), group_.request,
                    last->number()};
}

void CallGroupWait::OnDue(HandlerState& state) {
  if (GoesOn()) return;
  if (time() < deadline_) {
    if (deadline_ < MonotonicTime::InfiniteFuture()) {
      state.Schedule(*this, deadline_);
    }
    if (const std::optional<WaitedCall> call = ItsCall()) {
      LookForDeadlock(state.cell(), *call);
    }
    return;
  }
  for (GroupedCall& call : group_.calls) {
    if (!std::exchange(call.is_awaited_, false)) continue;
    (void)state.calls().Take(call.number());
  }
  group_.FailAll([&](const CallName& name) {
    return time() == handler_deadline()
               ? CallerTimedOut(name)
               : CallTimedOut(name,
                              group_.timeout.Length(*state.cell().system));
  });
  Resume();
}

void CallGroupWait::OnCancel(const absl::Status&) {
  GiveUp(*state());
  group_.FailAll(
      [](const CallName& name) { return CallCancelled(name, /*begun=*/true); });
  Resume();
}

// -- on a plain thread

namespace {

// What a thread that waits for a group shares with those who answer, which may
// do so when the thread has long gone on.
class BlockedGroup : public std::enable_shared_from_this<BlockedGroup> {
 public:
  explicit BlockedGroup(CallGroup& group)
      : sinks_(group.calls.size()), group_(&group) {}

  Event& over() { return over_; }
  // The thread waits no more. Returns whether it was over.
  bool Close() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return std::exchange(group_, nullptr) == nullptr;
  }

  // By the thread. Leads here, once; must be answered.
  ReplyRoute OpenRoute(size_t index) {
    sinks_[index].group = shared_from_this();
    sinks_[index].index = index;
    return sinks_[index].route = ReplyRoute::To(sinks_[index], NewSinkNumber());
  }
  // Nobody will answer what was opened.
  void CloseRoute(size_t index) { sinks_[index].group = nullptr; }
  // Null if it was not opened.
  const ReplyRoute& route(size_t index) const { return sinks_[index].route; }

  // By any thread.
  void Answer(size_t index, EnvelopePtr reply) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      if (group_ == nullptr) return;
      group_->End(group_->calls[index], std::move(reply));
      if (!group_->is_over()) return;
      group_ = nullptr;
    }
    over_.Set();
  }

 private:
  struct Sink final : ReplySink {
    void Take(EnvelopePtr reply) override {
      // What this lies in may end with it.
      const std::shared_ptr<BlockedGroup> answered = std::move(group);
      answered->Answer(index, std::move(reply));
    }
    std::shared_ptr<BlockedGroup> group;  // Until it is answered.
    size_t index = 0;
    ReplyRoute route;
  };

  std::vector<Sink> sinks_;
  Event over_;
  absl::Mutex mu_;
  CallGroup* group_ ABSL_GUARDED_BY(mu_);  // The thread's; null: over.
};

// The system of the first actor that has one.
std::shared_ptr<SystemCore> SystemOf(const CallGroup& group) {
  for (const GroupedCall& call : group.calls) {
    if (auto system = IdSpace::Find(call.target().id().value())) return system;
  }
  return nullptr;
}

}  // namespace

void CallGroupAndBlock(CallGroup& group) {
  if (this_thread.InTurn()) return group.FailAll(WaitInHandler);
  const std::shared_ptr<SystemCore> system = SystemOf(group);
  if (system == nullptr) {
    return group.FailAll([](const CallName& name) {
      return CallRefused(name, SendResult::kNoActor);
    });
  }
  Executor& executor = system->executor();
  const MonotonicTime began = executor.clock().Now();
  const MonotonicTime deadline = group.timeout.DeadlineFrom(
      began, *system, MonotonicTime::InfiniteFuture());
  if (deadline <= began) return group.FailAll(CallTooLate);
  const auto blocked = std::make_shared<BlockedGroup>(group);
  // If it throws here: who has been asked by then may answer all the same.
  struct Undoing {
    ~Undoing() {
      if (unsent.has_value()) blocked.CloseRoute(*unsent);
      (void)blocked.Close();
    }
    BlockedGroup& blocked;
    std::optional<size_t> unsent;  // The route of a request that was not sent.
  } undoing{*blocked, std::nullopt};
  for (size_t i = 0; i < group.calls.size(); ++i) {
    GroupedCall& call = group.calls[i];
    const uint64_t id = call.target().id().value();
    EnvelopePtr request = std::move(call.envelope());
    RequestInfo& info = InfoOf(*request);
    info.route = blocked->OpenRoute(i);
    undoing.unsent = i;
    info.deadline = deadline;
    const std::shared_ptr<SystemCore> its = IdSpace::Find(id);
    const bool is_foreign = its != nullptr && its != system;
    const SendResult sent =
        is_foreign ? SendResult::kNoActor
                   : TrySendEnvelope(call.cell(), id, request.get());
    if (!IsRefused(sent)) {
      (void)request.release();
      undoing.unsent.reset();
      continue;
    }
    const CallName name = group.NameOf(call);
    FailRequest(*request,
                is_foreign ? CallOfOtherSystem(name) : CallRefused(name, sent));
    undoing.unsent.reset();
  }
  (void)executor.WaitFor(blocked->over(), deadline);
  // From here on the group is this thread's alone.
  if (!blocked->Close()) {
    group.FailAll([&](const CallName& name) {
      return CallTimedOut(name, deadline - began);
    });
    return;
  }
  for (size_t i = 0; i < group.calls.size(); ++i) {
    GroupedCall& call = group.calls[i];
    if (call.is_over()) continue;
    SendCancel(call.cell(), call.target().id().value(), blocked->route(i));
  }
}

}  // namespace troupe::internal
