#include "troupe/actor/ended.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/end_question.h"

namespace troupe::internal {

bool EndWait::await_suspend(std::coroutine_handle<> waiting) {
  if (!Prepare()) return Pass(waiting);
  if (IsLate()) {
    SettleLate();
    return Pass(waiting);
  }
  if (actor_.id().value() == caller().CurrentId()) {
    Settle();
    error() = absl::FailedPreconditionError(absl::StrCat(
        "waiting for ", What(), ": an actor cannot outlive its own end"));
    return Pass(waiting);
  }
  if (AskForEnd(actor_, route())) {
    Suspend(waiting);
    return true;
  }
  Settle();
  return Pass(waiting);
}

absl::StatusOr<ExitReason> EndWait::await_resume() {
  if (!error().ok()) return error();
  if (reply() == nullptr) return WhyGone(actor_);
  return TakeEnd(*reply());
}

void EndWait::OnGiveUp() { AskForEndNoMore(actor_, route()); }

std::string EndWait::What() const {
  return absl::StrCat("the end of ", actor_.ToString());
}

}  // namespace troupe::internal
