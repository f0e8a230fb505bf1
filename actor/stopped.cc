#include "troupe/actor/stopped.h"

#include "troupe/actor/internal/reply.h"
#include "troupe/base/check.h"

namespace troupe::internal {

bool StopWait::await_suspend(std::coroutine_handle<> waiting) {
  TROUPE_CHECK(this_handler.root != nullptr &&
                   this_handler.root->handles_request &&
                   token_.IsOf(InfoOf(*this_handler.root->envelope)),
               "Stopped() is awaited in the Task that handles its request");
  if (token_.stop_requested()) return Pass(waiting);
  Begin(HandlerState::KeepCurrentRoot(), waiting, CurrentDeadline());
  return true;
}

}  // namespace troupe::internal
