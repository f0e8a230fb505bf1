#include "troupe/actor/internal/children.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/base/check.h"

namespace troupe::internal {
namespace {

// Asks the youngest child to stop; it has a limited time for that.
void StopNextChild(Cell& cell, Worker& worker) {
  static const ExitReason* const shutdown =
      new ExitReason(ExitReason::Shutdown());
  RequestEnd(*cell.newest_child, Ending::kStop, *shutdown, worker);
  CellExtras& extras = cell.Extras();
  Executor& executor = cell.system->executor();
  extras.child_deadline =
      executor.clock().Now() + cell.system->limits().child_stop_timeout;
  // One alarm serves child after child: when it rings, it is set anew for the
  // one that is asked then.
  if (std::exchange(extras.child_alarm_is_set, true)) return;
  if (extras.child_alarm == nullptr) {
    const uint64_t id = cell.CurrentId();
    extras.child_alarm = std::make_unique<Alarm>([&cell, id] {
      Envelope* const signal = MakeEnvelope<ChildMayBeLate>();
      if (!SendSignal(cell, id, signal, Mailbox::Word::Kind::kSignal)) {
        DestroyEnvelope(signal);
      }
    });
  }
  executor.SetAlarm(*extras.child_alarm, extras.child_deadline);
}

// What a parent without the hook does.
void HandleChildByDefault(Cell& cell, const ChildEvent& event) {
  if (event.kind != ChildEvent::Kind::kFailed) return;
  RecordFailure(
      cell, absl::Status(event.reason.status().code(),
                         Abridged(absl::StrCat("child ", event.name,
                                               event.name.empty() ? "" : " ",
                                               event.child.id().ToString(), " ",
                                               event.reason.ToString()))));
}

// Outside the seat.
inline void RunOnChild(Cell& cell, const ChildEvent& event) {
  const ActorType& type = cell.actor_type();
  if (type.on_child == nullptr) [[unlikely]] {
    HandleChildByDefault(cell, event);
    return;
  }
  type.on_child(cell, event);
}

// False: the seat was lost.
[[gnu::always_inline]] inline bool TellOfChild(Cell& cell, ChildEvent& event) {
  LeaveForUserCode();
  RunOnChild(cell, event);
  // What the hook left there: its destructor is user code, too.
  event.state = HandedState();
  return ReturnFromUserCode();
}

// A child has started. False: the seat was lost.
[[gnu::noinline]] bool HandleStart(Cell& cell, Envelope* envelope) {
  ChildStarted& started = envelope->As<ChildStarted>();
  // By its members: g++ would clear all of it first.
  ChildEvent event;
  event.kind = ChildEvent::Kind::kStarted;
  event.child = started.child;
  if (started.name != nullptr) [[unlikely]]
    event.name = *started.name;
  started.~ChildStarted();
  FreeEnvelopeOf<ChildStarted>(envelope);
  return IsExiting(cell) || TellOfChild(cell, event);
}

// A child has ended that the actor is to hear of. False: the seat was lost.
[[gnu::noinline]] bool HandleExit(Cell& cell, Cell& child) {
  ChildEvent event;
  event.kind = child.exit_kind == ExitReason::Kind::kFailed
                   ? ChildEvent::Kind::kFailed
                   : ChildEvent::Kind::kStopped;
  event.child = AnyActorRef(&child, child.CurrentId());
  if (child.extras == nullptr) [[likely]] {
    event.reason = ExitReason::Plain(child.exit_kind);
  } else {
    event.name = child.extras->name;
    event.reason = ExitReasonOf(child);
    event.state = std::move(child.extras->state);
    child.DropExtras();
  }
  CellPool::Return(child);
  return TellOfChild(cell, event);
}

// An actor that awaits the end of its children is one child further.
void AwaitNextChild(Cell& cell, Worker& worker) {
  if (cell.newest_child == nullptr) {
    cell.AddAttention(Cell::kLifecycle);
  } else if (EndsGracefully(cell)) {
    StopNextChild(cell, worker);
  }
}

}  // namespace

void RequestEnd(Cell& cell, Ending request, const ExitReason& reason,
                Worker& worker) {
  const uint64_t owner = cell.owner.load(std::memory_order_relaxed);
  // Behind what was pushed before the cell came here, or its sender did: an
  // earlier request may be among it, and counts.
  if (OwnerTag::SameOwner(owner, worker.tag()) &&
      (owner == worker.tag() ||
       (!cell.HasMail() && cell.phase != Phase::kZombie))) {
    ApplyRequest(cell, request, reason);
    ScheduleMine(cell);
    return;
  }
  Envelope* const signal = MakeEnvelope<EndRequest>(request, reason);
  signal->lane = Lane::kSignal;
  signal->target = cell.target();
  const PushResult result = cell.Push(cell.Load(), signal, KindOf(request));
  if (result == PushResult::kClosed) {
    DestroyEnvelope(signal);  // It is ending already.
  } else if (result == PushResult::kMustWake && !worker.Claim(cell)) {
    WakeOwner(cell);
  }
}

void KillChildren(Cell& cell, Worker& worker) {
  for (Cell* child = cell.newest_child; child != nullptr;
       child = child->older_sibling) {
    RequestEnd(*child, Ending::kKill, ExitReason::Killed(), worker);
  }
}

void EndSomeChildren(Cell& cell, Worker& worker) {
  if (EndsGracefully(cell)) {
    StopNextChild(cell, worker);
  } else {
    KillChildren(cell, worker);
  }
}

void KillLateChild(Cell& cell, Worker& worker) {
  if (cell.newest_child == nullptr) return;
  CellExtras& extras = *cell.extras;
  Executor& executor = cell.system->executor();
  if (executor.clock().Now() < extras.child_deadline) {
    executor.SetAlarm(*extras.child_alarm, extras.child_deadline);
    return;
  }
  extras.child_alarm_is_set = false;
  RequestEnd(*cell.newest_child, Ending::kKill, ExitReason::Killed(), worker);
}

void TellOfStart(Cell& parent, Cell& cell, Worker& worker) {
  std::unique_ptr<std::string> name;
  if (cell.extras != nullptr && !cell.extras->name.empty()) [[unlikely]] {
    name = std::make_unique<std::string>(cell.extras->name);
  }
  TellParent(parent,
             MakeEnvelope<ChildStarted>(AnyActorRef(&cell, cell.CurrentId()),
                                        std::move(name)),
             worker);
}

void TellParentElsewhere(Cell& parent, Envelope* event, Worker& worker) {
  event->target = parent.target();
  if (OwnerTag::SameOwner(parent.owner.load(std::memory_order_relaxed),
                          worker.tag())) {
    // What strangers pushed comes first.
    DrainMail(parent, worker);
    parent.AppendToLane(event);
    ScheduleMine(parent);
    return;
  }
  const PushResult result =
      parent.Push(parent.Load(), event, Mailbox::Word::Kind::kSignal);
  TROUPE_DCHECK(result != PushResult::kClosed, "a parent outlives its child");
  if (result == PushResult::kMustWake && !worker.Claim(parent)) {
    WakeOwner(parent);
  }
}

namespace {

// Whether the actor is still told of ends: until its own has begun, but for one
// that sees to its children in PostStop.
bool StillHears(const Cell& cell) {
  return !IsExiting(cell) ||
         (cell.actor_type().hears_in_hooks &&
          cell.phase == Phase::kPostStopping && IsSuspended(cell));
}

// As HandleEvent(), for a child that has ended.
[[gnu::noinline]] bool HandleEnd(Cell& cell, Cell& child, Worker& worker) {
  Unlink(cell, child);
  if (StillHears(cell) && IsHeard(cell, child)) return HandleExit(cell, child);
  HandedState unheard;
  if (child.extras != nullptr) [[unlikely]] {
    unheard = std::move(child.extras->state);
    child.DropExtras();
  }
  CellPool::Return(child);
  if (cell.phase == Phase::kAwaitingChildren) AwaitNextChild(cell, worker);
  // Last, as the seat may be lost.
  return unheard.IsEmpty() || OutsideSeat([&] { unheard = HandedState(); });
}

}  // namespace

bool HandleEvent(Cell& cell, Envelope* envelope, Worker& worker) {
  if (envelope->type == &kMessageType<ChildStarted>) {
    return HandleStart(cell, envelope);
  }
  return HandleEnd(cell, *envelope->As<ChildExited>().child, worker);
}

}  // namespace troupe::internal
