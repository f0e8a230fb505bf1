// Stopped(token) waits until the StopToken of the request that is handled
// fires: until nobody waits for the answer any more.
//
//   Task<absl::Status> Handle(Watch m, Request& request) {
//     Subscribe(m.topic);
//     co_await Stopped(request.stop_token());
//     Unsubscribe(m.topic);
//     co_return absl::CancelledError("nobody watches any more");
//   }
//
// With WhenAny() it ends a wait that knows nothing of requests.
//
// It yields nothing. It ends when the caller dies, cancels the call or is told
// to give up itself, and when the deadline passes; at once if that has
// happened. A graceful stop of the actor waits for it. So it never ends for a
// request that was sent, not called: that has no deadline, and only a kill ends
// its handler.
//
// Cancellation: destroying the coroutine, or its actor, ends it.
// Blocking: no thread; no other message of this actor is handled meanwhile,
// unless the actor interleaves them.
// Memory: allocates nothing of its own.
// Thread safety: belongs to the handler.
// REQUIRES: awaited in the Task that handles the token's request, or in a Task
// that that one awaits.
#ifndef TROUPE_ACTOR_STOPPED_H_
#define TROUPE_ACTOR_STOPPED_H_

#include <coroutine>

#include "absl/status/status.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/stop_token.h"

namespace troupe {

namespace internal {

class StopWait final : public Wait {
 public:
  explicit StopWait(StopToken token) : token_(token) {}

  bool await_ready() const noexcept { return false; }
  // False: it has fired already.
  bool await_suspend(std::coroutine_handle<> waiting);
  void await_resume() const noexcept {}

  void OnDue(HandlerState&) override {
    if (!GoesOn()) Resume();
  }
  void OnCancel(const absl::Status&) override { Resume(); }

 private:
  const StopToken token_;
};

}  // namespace internal

// To be awaited, also by WhenAny().
class [[nodiscard]] Stopped {
 public:
  explicit Stopped(StopToken token) : token_(token) {}

  internal::StopWait operator co_await() const {
    return internal::StopWait(token_);
  }

 private:
  StopToken token_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_STOPPED_H_
