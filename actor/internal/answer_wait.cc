#include "troupe/actor/internal/answer_wait.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/system_core.h"

namespace troupe::internal {

bool AnswerWait::Prepare() {
  caller_ = CurrentActor();
  if (caller_ == nullptr || this_handler.root == nullptr) [[unlikely]] {
    error_ = absl::FailedPreconditionError(
        absl::StrCat("waiting for ", What(),
                     ": only the coroutine of an actor can await it"));
    return false;
  }
  if (IsCancelled()) [[unlikely]] {
    error_ = absl::CancelledError(absl::StrCat(
        "waiting for ", What(), ": the request that is handled was given up"));
    return false;
  }
  // What needs memory comes first.
  HandlerState& state = *HandlerState::KeepCurrentRoot().state;
  began_ = TimeOfTurn(*caller_->system);
  deadline_ = std::min(began_ + timeout_, CurrentDeadline());
  state.calls().Add(*this);
  is_listed_ = true;
  return true;
}

void AnswerWait::Settle() {
  (void)caller_->handler->calls().Take(number());
  is_listed_ = false;
}

void AnswerWait::SettleLate() {
  Settle();
  error_ = absl::DeadlineExceededError(absl::StrCat(
      "waiting for ", What(), ": the deadline had passed when the wait began"));
}

void AnswerWait::Suspend(std::coroutine_handle<> waiting) {
  Begin(*this_handler.root, waiting, deadline_);
}

void AnswerWait::OnReply(EnvelopePtr reply) {
  reply_ = std::move(reply);
  is_listed_ = false;
  Resume();
}

void AnswerWait::OnDue(HandlerState&) {
  if (GoesOn()) return;
  GiveUp();
  error_ = absl::DeadlineExceededError(
      absl::StrCat("waiting for ", What(), ": nothing within ",
                   absl::FormatDuration(time() - began_)));
  Resume();
}

void AnswerWait::OnCancel(const absl::Status& why) {
  GiveUp();
  error_ = absl::Status(
      why.code(), absl::StrCat("waiting for ", What(), ": ", why.message()));
  Resume();
}

void AnswerWait::GiveUp() {
  Settle();
  OnGiveUp();
}

}  // namespace troupe::internal
