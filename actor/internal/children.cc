#include "troupe/actor/internal/children.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/user_code.h"

namespace troupe::internal {
namespace {

void Unlink(Cell& parent, Cell& child) {
  if (child.newer_sibling != nullptr) {
    child.newer_sibling->older_sibling = child.older_sibling;
  } else {
    parent.newest_child = child.older_sibling;
  }
  if (child.older_sibling != nullptr) {
    child.older_sibling->newer_sibling = child.newer_sibling;
  }
  --parent.children;
}

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
  RecordFailure(cell, absl::Status(event.reason.status().code(),
                                   absl::StrCat("child ", event.name,
                                                event.name.empty() ? "" : " ",
                                                event.child.id().ToString(),
                                                " ", event.reason.ToString())));
}

// Outside the seat.
void TellOfChild(Cell& cell, const ChildEvent& event) {
  const ActorType& type = cell.actor_type();
  if (type.on_child == nullptr) {
    HandleChildByDefault(cell, event);
    return;
  }
  absl::Status status = type.on_child(cell, event);
  if (!status.ok()) RecordFailure(cell, std::move(status));
}

// Takes a child that has ended out of the tree, and gives its cell back.
ChildEvent BuryChild(Cell& cell, Cell& child) {
  Unlink(cell, child);
  ExitReason reason = ExitReasonOf(child);
  ChildEvent event{
      reason.kind() == ExitReason::Kind::kFailed ? ChildEvent::Kind::kFailed
                                                 : ChildEvent::Kind::kStopped,
      AnyActorRef(&child, child.CurrentId()), NameOf(child), std::move(reason)};
  delete std::exchange(child.extras, nullptr);
  CellPool::Return(child);
  return event;
}

}  // namespace

void RequestEnd(Cell& cell, Ending request, const ExitReason& reason,
                Worker& worker) {
  const uint64_t owner = cell.owner.load(std::memory_order_relaxed);
  // Behind what was pushed before the cell came here, or its sender did: an
  // earlier request may be among it, and counts.
  if (OwnerTag::SameOwner(owner, worker.tag()) &&
      (owner == worker.tag() || !cell.HasMail())) {
    ApplyRequest(cell, request, reason);
    ScheduleMine(cell);
    return;
  }
  Envelope* const signal = MakeEnvelope<EndRequest>(request, reason);
  signal->lane = Lane::kSignal;
  signal->target = cell.target();
  const PushResult result =
      cell.Push(cell.Load(), signal, Mailbox::Word::Kind::kClosing);
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

void EndChildren(Cell& cell, Worker& worker) {
  if (cell.newest_child == nullptr) return;
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

void TellParentOfStart(Cell& cell, Worker& worker) {
  if (cell.parent == nullptr || cell.parent->actor_type().on_child == nullptr) {
    return;
  }
  const uint64_t id = cell.CurrentId();
  Envelope* const started = MakeEnvelope<ChildStarted>(ChildEvent{
      ChildEvent::Kind::kStarted, AnyActorRef(&cell, id), NameOf(cell), {}});
  started->lane = Lane::kEvent;
  started->target = cell.parent->target();
  if (!PutInLane(*cell.parent, cell.parent->CurrentId(), started, worker)) {
    DestroyEnvelope(started);
  }
}

bool HandleEvent(Cell& cell, Envelope* envelope, Worker& worker) {
  if (envelope->type == &kMessageType<ChildStarted>) {
    ChildEvent event = std::move(envelope->As<ChildStarted>().event);
    DestroyEnvelope(envelope);
    return IsExiting(cell) || OutsideSeat([&] { TellOfChild(cell, event); });
  }
  Cell& child = *envelope->As<ChildExited>().child;
  const bool silent = child.has(Cell::kStartFailed);
  const bool needs_event = !silent && !IsExiting(cell) &&
                           (cell.actor_type().on_child != nullptr ||
                            child.exit_kind == ExitReason::Kind::kFailed);
  if (!needs_event) {
    Unlink(cell, child);
    delete std::exchange(child.extras, nullptr);
    CellPool::Return(child);
    if (cell.phase == Phase::kAwaitingChildren) {
      if (cell.newest_child == nullptr) {
        cell.AddAttention(Cell::kLifecycle);
      } else if (EndsGracefully(cell)) {
        StopNextChild(cell, worker);
      }
    }
    return true;
  }
  const ChildEvent event = BuryChild(cell, child);
  return OutsideSeat([&] { TellOfChild(cell, event); });
}

}  // namespace troupe::internal
