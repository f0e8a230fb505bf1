#include "troupe/actor/request.h"

#include <algorithm>

#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/stop_token.h"

namespace troupe {
namespace {

// Whether an actor called that has ended since. What it sent in its end waits
// in the mailbox for as long as a plain handler runs.
bool CallerIsGone(const internal::ReplyRoute& route) {
  return !route.IsNull() && !route.IsSink() &&
         !route.cell().IsAliveAs(route.id);
}

}  // namespace

absl::Duration Request::time_left() const {
  if (deadline() == MonotonicTime::InfiniteFuture()) {
    return absl::InfiniteDuration();
  }
  internal::Cell* const actor = internal::CurrentActor();
  if (actor == nullptr) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(),
                  deadline() - actor->system->executor().clock().Now());
}

AnyActorRef Request::caller() const {
  if (route.IsNull() || route.IsSink()) return AnyActorRef();
  return AnyActorRef(&route.cell(), route.id);
}

bool StopToken::stop_requested() const {
  internal::Cell* const actor = internal::CurrentActor();
  if (actor == nullptr) return false;
  return request_->IsCancelled() || CallerIsGone(request_->route) ||
         internal::LookForKill(*actor) ||
         (request_->deadline != MonotonicTime::InfiniteFuture() &&
          actor->system->executor().clock().Now() >= request_->deadline);
}

}  // namespace troupe
