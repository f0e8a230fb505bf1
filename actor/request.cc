#include "troupe/actor/request.h"

#include <algorithm>

#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/stop_token.h"

namespace troupe {

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
  if (route.IsNull() || route.sink() != nullptr) return AnyActorRef();
  return AnyActorRef(&route.cell(), route.id);
}

bool StopToken::stop_requested() const {
  internal::Cell* const actor = internal::CurrentActor();
  if (actor == nullptr) return false;
  return request_->IsCancelled() || internal::LookForKill(*actor) ||
         (request_->deadline != MonotonicTime::InfiniteFuture() &&
          actor->system->executor().clock().Now() >= request_->deadline);
}

}  // namespace troupe
