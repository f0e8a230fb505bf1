#include "troupe/actor/internal/actor_base.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/timers.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/check.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {
namespace {

// Apart, for the sake of the stack of who calls it rarely.
[[gnu::noinline]] void RequestStop(Cell& cell) {
  SendRequest(cell, cell.CurrentId(), Ending::kStop, ExitReason::Normal());
}

}  // namespace

void ActorBase::EndForPlainObject() {
  TROUPE_CHECK(false,
               "the services of Actor need an actor that was spawned, from "
               "PreStart on");
  std::abort();
}

ActorSystem& ActorBase::system() const { return core().system(); }

AnyActorRef ActorBase::parent() const {
  Cell* const parent = cell().parent;
  if (parent == nullptr) return AnyActorRef();
  return AnyActorRef(parent, parent->CurrentId());
}

std::vector<AnyActorRef> ActorBase::children() const {
  std::vector<AnyActorRef> children;
  children.reserve(cell().children);
  for (Cell* child = cell().newest_child; child != nullptr;
       child = child->older_sibling) {
    children.emplace_back(child, child->CurrentId());
  }
  std::reverse(children.begin(), children.end());
  return children;
}

Cell& ActorBase::CellInItsCode() const {
  Cell& me = cell();
  TROUPE_DCHECK(CurrentActor() == &me, "an actor watches others itself");
  return me;
}

void ActorBase::StopSelf() {
  Cell& me = cell();
  const uint64_t tag = EnterSeat();
  if (!me.IsMine(tag) || me.phase > Phase::kRunning ||
      me.request() != Ending::kNone) [[unlikely]] {
    LeaveSeat();
    return RequestStop(me);
  }
  // What that would do, written out for the common case: the first request, in
  // a turn on the worker that owns the actor.
  me.set_request(Ending::kStop);
  me.AddAttention(Cell::kRequested);
  me.exit_kind = ExitReason::Kind::kNormal;
  if (me.LooksOpen()) me.Shut();
  LeaveSeat();
}

void ActorBase::StopSelf(const ExitReason& reason) {
  Cell& me = cell();
  SendRequest(me, me.CurrentId(), Ending::kStop, reason);
}

void ActorBase::Fail(absl::Status status) {
  TROUPE_CHECK(!status.ok(), "Fail() needs a status that is not OK");
  RecordFailure(cell(), std::move(status));
}

Timer ActorBase::StopAfter(absl::Duration delay) {
  return EndLater(cell(), delay, Ending::kStop);
}

Timer ActorBase::KillAfter(absl::Duration delay) {
  return EndLater(cell(), delay, Ending::kKill);
}

MonitorHandle ActorBase::Monitor(const AnyActorRef& actor) {
  Cell& me = CellInItsCode();
  const ActorType& type = me.actor_type();
  if (type.on_down == nullptr) {
    Fail(absl::FailedPreconditionError(absl::StrCat(
        "Monitor() in a ",
        absl::string_view(type.class_name.data(), type.class_name.size()),
        ", which has no OnDown(const Down&)")));
    return MonitorHandle();
  }
  if (IsExiting(me) || actor == untyped_self()) return MonitorHandle();
  return HandlerState::Of(me).Watches().Monitor(actor);
}

bool ActorBase::Demonitor(const MonitorHandle& monitor) {
  Cell& me = CellInItsCode();
  if (monitor.watcher() == 0) return false;
  TROUPE_CHECK(monitor.watcher() == me.CurrentId(),
               "a monitor is ended by the actor that began it");
  return me.handler != nullptr && me.handler->watches() != nullptr &&
         me.handler->watches()->Demonitor(monitor);
}

void ActorBase::Link(const AnyActorRef& actor) {
  Cell& me = CellInItsCode();
  if (IsExiting(me) || actor == untyped_self()) return;
  HandlerState::Of(me).Watches().Link(actor);
}

bool ActorBase::Unlink(const AnyActorRef& actor) {
  Cell& me = CellInItsCode();
  return me.handler != nullptr && me.handler->watches() != nullptr &&
         me.handler->watches()->Unlink(actor);
}

}  // namespace troupe::internal
