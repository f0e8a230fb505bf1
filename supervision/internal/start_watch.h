// How a supervisor waits: for starts that take their time, and in its hooks.
#ifndef TROUPE_SUPERVISION_INTERNAL_START_WATCH_H_
#define TROUPE_SUPERVISION_INTERNAL_START_WATCH_H_

#include <coroutine>
#include <cstdint>

#include "absl/status/status.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/supervision/internal/supervisor_command.h"

namespace troupe::internal {

class Supervision;

// Takes the answer of one instance: how its PreStart has ended. Dropped, it
// takes none.
class StartWatch final : public PendingCall {
 public:
  // `cell` is the supervisor's.
  StartWatch(Supervision& supervision, Cell& cell, ChildKey child);
  ~StartWatch();

  ReplyRoute route() const {
    return ReplyRoute::To(cell_, cell_.CurrentId(), number());
  }

  void OnReply(EnvelopePtr reply) override;
  void OnActorGone() override { is_over_ = true; }

 private:
  Supervision& supervision_;
  Cell& cell_;
  const ChildKey child_;
  bool is_over_ = false;
};

// Waits in a hook until something has happened to a child, or until `limit`.
class HookWait final : public Wait {
 public:
  // `place` tells who it is that waits.
  HookWait(HookWait*& place, MonotonicTime limit)
      : place_(place), limit_(limit) {}
  ~HookWait() { place_ = nullptr; }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiting);
  void await_resume() const noexcept {}

  void OnDue(HandlerState&) override { Resume(); }
  void OnCancel(const absl::Status&) override { Resume(); }

 private:
  HookWait*& place_;
  const MonotonicTime limit_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_START_WATCH_H_
