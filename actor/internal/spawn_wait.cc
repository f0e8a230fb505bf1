#include "troupe/actor/internal/spawn_wait.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/base/check.h"
#include "troupe/base/contain.h"

namespace troupe::internal {

bool SpawnWait::await_suspend(std::coroutine_handle<> waiting) {
  if (!Prepare()) return Pass(waiting);
  TROUPE_DCHECK(&caller() == spawn_.plan.parent,
                "a child is spawned by a Task of its parent");
  if (IsLate()) {
    SettleLate();
    return Pass(waiting);
  }
  OwedAnswer<absl::Status> started;
  const absl::Status made = Contain([&] {
    started = {route(), absl::OkStatus()};
  });
  // Once this waits, nothing may throw: it is known to the handler.
  absl::StatusOr<AnyActorRef> child =
      made.ok() ? SpawnThere(spawn_.plan, spawn_.options,
                             std::move(spawn_.construct), std::move(started))
                : absl::ResourceExhaustedError(
                      absl::StrCat("no memory for ", What()));
  if (!child.ok()) {
    Settle();
    error() = std::move(child).status();
    return Pass(waiting);
  }
  child_ = *child;
  Suspend(waiting);
  return true;
}

absl::StatusOr<AnyActorRef> SpawnWait::TakeResult() {
  if (reply() == nullptr) return std::move(error());
  const absl::Status& started = reply()->As<absl::Status>();
  if (started.ok()) return child_;
  return WithContext(spawn_.plan.type, spawn_.options.name, started);
}

std::string SpawnWait::What() const {
  const std::string_view type = spawn_.plan.type.class_name;
  return absl::StrCat("the start of a ",
                      absl::string_view(type.data(), type.size()));
}

}  // namespace troupe::internal
