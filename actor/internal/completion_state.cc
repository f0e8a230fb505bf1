#include "troupe/actor/internal/completion_state.h"

#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"

namespace troupe::internal {

bool CompletionState::Complete(EnvelopePtr outcome) {
  ReplyRoute route;
  {
    absl::MutexLock lock(&mu_);
    if (completed_ || abandoned_) return false;
    completed_ = true;
    route = route_;
    if (route.IsNull()) outcome_ = std::move(outcome);
  }
  // Who waits may give up meanwhile: then it is dropped on its way.
  if (outcome != nullptr) SendReply(route, outcome.release());
  return true;
}

void CompletionState::Drop() {
  // Who waits would wait for ever.
  EnvelopePtr dropped(MustHaveMemory("a Completer that was dropped", [] {
    return MakeFailure(absl::CancelledError("its Completer was dropped"));
  }));
  (void)Complete(std::move(dropped));
}

EnvelopePtr CompletionState::Take() { return TakeOrSend(ReplyRoute()); }

EnvelopePtr CompletionState::TakeOrSend(const ReplyRoute& route) {
  absl::MutexLock lock(&mu_);
  route_ = route;
  return std::move(outcome_);
}

void CompletionState::Abandon() {
  EnvelopePtr outcome;  // Destroyed outside of the lock: it runs user code.
  absl::MutexLock lock(&mu_);
  abandoned_ = true;
  outcome = std::move(outcome_);
}

bool CompletionState::abandoned() const {
  absl::MutexLock lock(&mu_);
  return abandoned_;
}

bool CompletionWait::await_suspend(std::coroutine_handle<> waiting) {
  TROUPE_DCHECK(handle_.get() != nullptr, "a Completion is awaited once");
  CompletionState& state = *handle_.get();
  // What is there is had at once, whatever the time.
  reply() = state.Take();
  if (reply() != nullptr) return Pass(waiting);
  if (!Prepare()) return Pass(waiting);
  if (IsLate()) {
    SettleLate();
    return Pass(waiting);
  }
  error() = BeginWork(caller());
  if (error().ok()) reply() = state.TakeOrSend(route());
  if (!error().ok() || reply() != nullptr) {
    Settle();
    return Pass(waiting);
  }
  Suspend(waiting);
  return true;
}

EnvelopePtr CompletionWait::TakeReply() {
  return reply() != nullptr ? std::move(reply())
                            : EnvelopePtr(MakeFailure(std::move(error())));
}

std::string CompletionWait::What() const {
  return absl::StrCat("the completion of a ",
                      absl::string_view(what_.data(), what_.size()));
}

}  // namespace troupe::internal
