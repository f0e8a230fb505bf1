#include "troupe/actor/sleep.h"

#include "troupe/actor/internal/system_core.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

bool SleepWait::await_suspend(std::coroutine_handle<> waiting) {
  Cell* const actor = CurrentActor();
  TROUPE_CHECK(actor != nullptr && this_handler.root != nullptr,
               "Sleep() is awaited in a Task of an actor");
  if (IsCancelled()) return Pass(waiting);
  const MonotonicTime deadline = CurrentDeadline();
  const MonotonicTime wake = TimeAfter(*actor->system, duration_);
  ends_early_ = deadline < wake;
  const MonotonicTime end = ends_early_ ? deadline : wake;
  if (ends_early_ && deadline <= TimeOfTurn(*actor->system)) {
    return Pass(waiting);
  }
  Begin(HandlerState::Of(*actor), waiting, end);
  return true;
}

void SleepWait::OnDue(HandlerState&) {
  if (GoesOn()) return;
  slept_ = !ends_early_;
  Resume();
}

void SleepWait::OnCancel(const absl::Status&) { Resume(); }

}  // namespace troupe::internal
