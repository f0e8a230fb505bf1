#include "troupe/registry/name_wait.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/registry/name.h"
#include "troupe/scheduler/executor.h"
#include "troupe/scheduler/thread_context.h"

namespace troupe::internal {

bool NameWaitBase::await_suspend(std::coroutine_handle<> waiting) {
  error() = CheckName(name_);
  if (!error().ok() || !Prepare()) return Pass(waiting);
  if (const std::optional<AnyActorRef> found =
          names_.FindOrAwait(name_, route())) {
    Settle();
    found_ = *found;
    return Pass(waiting);
  }
  if (IsLate()) {
    OnGiveUp();
    SettleLate();
    return Pass(waiting);
  }
  Suspend(waiting);
  return true;
}

absl::StatusOr<AnyActorRef> NameWaitBase::Found() {
  if (!error().ok()) return error();
  return reply() != nullptr ? reply()->As<AnyActorRef>() : found_;
}

std::string NameWaitBase::What() const {
  return absl::StrCat("the name '", name_, "'");
}

void NameWaitBase::OnGiveUp() { names_.AwaitNoMore(name_, route()); }

absl::StatusOr<AnyActorRef> WaitForName(NameDirectory& names,
                                        absl::string_view name,
                                        absl::Duration timeout) {
  if (absl::Status status = CheckName(name); !status.ok()) return status;
  if (this_thread.InTurn()) {
    return absl::FailedPreconditionError(
        absl::StrCat("waiting for the name '", name,
                     "' inside a handler would block its worker; make the "
                     "handler a Task and await WaitFor()"));
  }
  const BlockedThreadPtr thread(new BlockedThread);
  const ReplyRoute route = thread->route();
  if (const std::optional<AnyActorRef> found = names.FindOrAwait(name, route)) {
    thread->Leave();  // For the route, which is not used.
    return *found;
  }
  Executor& executor = names.system().executor();
  if (!executor.WaitFor(thread->answered(), executor.clock().Now() + timeout)) {
    names.AwaitNoMore(name, route);
    return absl::DeadlineExceededError(
        absl::StrCat("waiting for the name '", name, "': nothing within ",
                     absl::FormatDuration(timeout)));
  }
  return thread->TakeReply()->As<AnyActorRef>();
}

absl::Status AboutName(absl::string_view name, const absl::Status& status) {
  return absl::Status(status.code(),
                      absl::StrCat("'", name, "': ", status.message()));
}

}  // namespace troupe::internal
