#include "troupe/actor/sleep.h"

#include "troupe/actor/internal/system_core.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

bool SleepWait::await_suspend(std::coroutine_handle<> waiting) {
  Cell* const actor = CurrentActor();
  TROUPE_CHECK(actor != nullptr && this_handler.root != nullptr,
               "Sleep() is awaited in a Task of an actor");
  const int64_t duration_ns = duration_ns_;
  outcome_ = {.slept = false, .ends_early = false};
  if (IsCancelled()) return Pass(waiting);
  const MonotonicTime deadline = CurrentDeadline();
  const MonotonicTime wake = TimeAfter(*actor->system, duration_ns);
  outcome_.ends_early = deadline < wake;
  const MonotonicTime end = outcome_.ends_early ? deadline : wake;
  if (outcome_.ends_early && deadline <= TimeOfTurn(*actor->system)) {
    return Pass(waiting);
  }
  Begin(HandlerState::Of(*actor), waiting, end);
  return true;
}

void SleepWait::OnDue(HandlerState&) {
  if (GoesOn()) return;
  outcome_.slept = !outcome_.ends_early;
  Resume();
}

void SleepWait::OnCancel(const absl::Status&) { Resume(); }

}  // namespace troupe::internal
