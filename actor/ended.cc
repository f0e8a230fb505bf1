#include "troupe/actor/ended.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/internal/end_question.h"

namespace troupe::internal {
namespace {

// What is asked for next.
Ending EndingOf(Urging by) {
  switch (by) {
    case Urging::kNone:
      break;
    case Urging::kStop:
    case Urging::kShutdown:
      return Ending::kStop;
    case Urging::kDrain:
      return Ending::kDrain;
    case Urging::kKill:
      return Ending::kKill;
  }
  return Ending::kNone;
}

}  // namespace

bool EndWait::await_suspend(std::coroutine_handle<> waiting) {
  if (!Prepare()) {
    if (absl::IsCancelled(error()) && !IsOwn()) Urge();
    return Pass(waiting);
  }
  if (IsOwn()) {
    Settle();
    error() = absl::FailedPreconditionError(absl::StrCat(
        "waiting for ", What(), ": an actor cannot outlive its own end"));
    return Pass(waiting);
  }
  if (IsLate()) {
    SettleLate();
    Urge();
    return Pass(waiting);
  }
  if (AskForEnd(actor_, route(), EndingOf(by_))) {
    Suspend(waiting);
    Urge();
    return true;
  }
  Settle();
  return Pass(waiting);
}

bool EndWait::IsOwn() const {
  return actor_.id().value() == caller().CurrentId();
}

void EndWait::Urge() const {
  switch (by_) {
    case Urging::kNone:
      return;
    case Urging::kStop:
      return actor_.Stop();
    case Urging::kShutdown:
      return actor_.Stop(ExitReason::Shutdown());
    case Urging::kDrain:
      return actor_.Drain();
    case Urging::kKill:
      return actor_.Kill();
  }
}

absl::StatusOr<ExitReason> EndWait::await_resume() {
  if (!error().ok()) return error();
  if (reply() == nullptr) return WhyGone(actor_);
  return TakeEnd(*reply());
}

void EndWait::OnGiveUp() { AskForEndNoMore(actor_, route(), EndingOf(by_)); }

std::string EndWait::What() const {
  return absl::StrCat("the end of ", actor_.ToString());
}

}  // namespace troupe::internal
