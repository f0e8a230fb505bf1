#include "troupe/actor/internal/lifecycle.h"

#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/children.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/end_observers.h"
#include "troupe/actor/internal/ending.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/queued_turn.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/requests.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/stashes.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/timers.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/base/contain.h"

namespace troupe::internal {
namespace {

// Decides how the actor ends, unless that has been decided.
void DecideExit(Cell& cell, const ExitReason& reason) {
  if (IsExiting(cell)) return;
  SetExitReason(cell, reason);
  cell.phase = Phase::kExiting;
  cell.AddAttention(Cell::kLifecycle);
}

// Makes a failure that user code left behind the reason to end.
void TakeFailure(Cell& cell) {
  const ExitReason reason = cell.handler->TakeFailure();
  if (cell.phase == Phase::kPreStarting) cell.set(Cell::kStartFailed);
  if (cell.phase == Phase::kPostStopping || cell.phase == Phase::kDestroying) {
    SetExitReason(cell, reason);  // PostStop or TakeState itself failed.
  } else {
    DecideExit(cell, reason);
  }
}

// Constructs the object and runs PreStart, in the actor's first turn. Outside
// the seat.
void StartHere(Cell& cell, absl::AnyInvocable<void(Cell&)> construct) {
  absl::Status status = Contain([&] { construct(cell); });
  if (!status.ok()) {
    RecordFailure(cell, std::move(status));
    return;
  }
  cell.set(Cell::kHasObject);
  if (cell.actor_type().pre_start != nullptr) cell.actor_type().pre_start(cell);
}

// Outside the seat.
void AnnounceStart(Cell& cell, const Identity& who) {
  cell.system->Publish(
      ActorStarted{who.id, who.parent, who.name, cell.actor_type().class_name});
}

// Goes from phase to phase as far as possible. A phase without user code leads
// straight to the next; after user code the failure that it may have left comes
// first.
Attention Advance(Cell& cell, Worker& worker) {
  while (true) {
    if (HasFailed(cell)) TakeFailure(cell);
    switch (cell.phase) {
      case Phase::kCreated: {
        if (cell.request() == Ending::kKill) {
          cell.set(Cell::kStartFailed);
          DecideExit(cell, ExitReason::Killed());
          // The arguments that were kept for it may have destructors.
          auto unused = std::move(cell.extras->construct);
          if (!OutsideSeat([&] { unused = nullptr; })) return Attention::kLost;
          break;
        }
        cell.phase = Phase::kPreStarting;
        auto construct = std::move(cell.extras->construct);
        if (!OutsideSeat([&] { StartHere(cell, std::move(construct)); })) {
          return Attention::kLost;
        }
        break;
      }
      case Phase::kPreStarting:
        if (IsSuspended(cell)) return Attention::kGoOn;
        AnswerStart(cell, absl::OkStatus());
        cell.phase = Phase::kStarted;
        [[fallthrough]];
      case Phase::kStarted:
        if (cell.request() == Ending::kKill) {
          DecideExit(cell, ExitReason::Killed());
          break;
        }
        cell.phase = Phase::kPostStarting;
        if (cell.actor_type().post_start != nullptr) {
          if (!OutsideSeat([&] { cell.actor_type().post_start(cell); })) {
            return Attention::kLost;
          }
          if (HasFailed(cell)) break;
        }
        [[fallthrough]];
      case Phase::kPostStarting:
        if (IsSuspended(cell)) return Attention::kGoOn;
        cell.phase = Phase::kAnnouncing;
        SetStatus(cell, ActorStatus::kRunning);
        if (cell.system->events().channel<ActorStarted>().HasSubscribers()) {
          const Identity who(cell);
          if (!OutsideSeat([&] { AnnounceStart(cell, who); })) {
            return Attention::kLost;
          }
        }
        [[fallthrough]];
      case Phase::kAnnouncing:
        cell.phase = Phase::kRunning;
        if (cell.handler != nullptr) cell.handler->AddNews();
        TellParentOfStart(cell, worker);
        if (cell.request() != Ending::kNone) {
          cell.AddAttention(Cell::kRequested);
        }
        return Attention::kGoOn;
      case Phase::kExiting: {
        if (cell.LooksOpen()) cell.Shut();
        if (cell.HasMail()) DrainMail(cell, worker);
        SetStatus(cell, ActorStatus::kStopping);
        Envelope* const undelivered = TakeMessages(cell);
        cell.phase = Phase::kPostStopping;
        if (undelivered != nullptr || RunsPostStop(cell) ||
            cell.handler != nullptr) {
          const ExitReason reason = ExitReasonOf(cell);
          if (!OutsideSeat([&] { RunExitHooks(cell, undelivered, reason); })) {
            return Attention::kLost;
          }
          if (HasFailed(cell)) break;
        }
        [[fallthrough]];
      }
      case Phase::kPostStopping:
        if (IsSuspended(cell)) return Attention::kGoOn;
        cell.phase = Phase::kAwaitingChildren;
        EndChildren(cell, worker);
        [[fallthrough]];
      case Phase::kAwaitingChildren:
        if (cell.newest_child != nullptr) return Attention::kGoOn;
        cell.phase = Phase::kDestroying;
        if (NeedsFarewell(cell)) {
          const Identity who(cell);
          const ExitReason reason = ExitReasonOf(cell);
          const EndObservers observers = TakeEndObservers(cell);
          if (!OutsideSeat([&] { Destroy(cell, who, observers, reason); })) {
            return Attention::kLost;
          }
          if (HasFailed(cell)) break;
        } else if (cell.actor_type().destroy != nullptr ||
                   cell.handler != nullptr) {
          if (!OutsideSeat([&] { DestroyObject(cell); })) {
            return Attention::kLost;
          }
          if (HasFailed(cell)) break;
        }
        [[fallthrough]];
      case Phase::kDestroying:
        cell.phase = Phase::kTelling;
        [[fallthrough]];
      case Phase::kTelling:
        if (OthersHearOfEnd(cell) && !TellOthersOfEnd(cell, worker.tag())) {
          // Others run in between, however many there are.
          cell.AddAttention(Cell::kLifecycle);
          worker.Yield(cell);
          return Attention::kOver;
        }
        cell.phase = Phase::kEnding;
        [[fallthrough]];
      case Phase::kEnding:
        End(cell, worker);
        return Attention::kOver;
      case Phase::kRunning:
      case Phase::kFree:
      case Phase::kZombie:
        return Attention::kGoOn;
    }
  }
}

// Whether nothing that was admitted waits any more. REQUIRES: shut.
bool IsHandled(Cell& cell) {
  if (BoundedMailbox* const bounded = cell.bounded()) {
    // Who pushed it may not have rung yet.
    if (bounded->queue.messages() > 0) cell.AddAttention(Cell::kQueued);
  }
  return cell.empty() &&
         (cell.attention() & (Lanes::kUrgent | Cell::kQueued)) == 0 &&
         (cell.handler == nullptr || !cell.handler->holds_urgent());
}

// Returns messages that nobody will handle; the reason to end is known then.
Envelope* ActOnRequest(Cell& cell, Worker& worker) {
  cell.ClearAttention(Cell::kRequested);
  const Ending request = cell.request();
  if (IsExiting(cell)) {
    // Kill overtakes a graceful end that waits for children, or for its hook.
    if (request == Ending::kKill &&
        cell.exit_kind != ExitReason::Kind::kKilled &&
        cell.phase <= Phase::kAwaitingChildren) {
      if (cell.exit_kind != ExitReason::Kind::kFailed) {
        SetExitReason(cell, ExitReason::Killed());
      }
      if (cell.phase == Phase::kAwaitingChildren) KillChildren(cell, worker);
      if (IsSuspended(cell)) {
        cell.phase = Phase::kExiting;
        cell.AddAttention(Cell::kLifecycle);
      }
    }
    return nullptr;
  }
  if (request == Ending::kKill) {
    if (cell.phase <= Phase::kPreStarting) cell.set(Cell::kStartFailed);
    DecideExit(cell, ExitReason::Killed());
    return nullptr;
  }
  // A start that has begun, and handlers that are suspended, end first; then
  // the request is looked at again.
  const bool waits = cell.phase < Phase::kRunning ||
                     (cell.handler != nullptr && cell.handler->has_roots());
  switch (request) {
    case Ending::kStop:
      // The reason was kept when the request came.
      if (waits) {
        // What strangers pushed before the mailbox was shut waits as well.
        if (cell.HasMail()) DrainMail(cell, worker);
        return TakeMessages(cell);
      }
      cell.phase = Phase::kExiting;
      cell.AddAttention(Cell::kLifecycle);
      return nullptr;
    case Ending::kDrain:
      if (cell.HasMail()) DrainMail(cell, worker);
      if (cell.request() != Ending::kDrain) {
        cell.AddAttention(Cell::kRequested);
      } else if (!IsHandled(cell)) {
        // Stays requested until all is handled.
        if (!IsSuspended(cell)) cell.AddAttention(Cell::kRequested);
      } else if (!waits && HasLastTimers(cell, worker.now())) {
        cell.AddAttention(Cell::kRequested | Cell::kTimerFired);
      } else if (!waits) {
        DecideExit(cell, ExitReason::Drained());
      }
      return nullptr;
    case Ending::kNone:
    case Ending::kKill:
      return nullptr;
  }
  return nullptr;
}

// What user code left behind. Whether the mailbox got messages back that had
// been set aside.
bool TakeNews(Cell& cell, Worker& worker) {
  HandlerState& handler = *cell.handler;
  cell.set_has_news(false);
  const bool got_some_back =
      handler.stashes() != nullptr && handler.stashes()->Return(cell);
  if (handler.failed()) TakeFailure(cell);
  handler.ArmTimer(worker);
  if (handler.is_suspended()) {
    cell.AddAttention(Cell::kSuspended);
    return got_some_back;
  }
  // Messages that became due meanwhile come before those that wait.
  if ((cell.attention() & Cell::kSuspended) != 0 &&
      handler.HasDueMessages(worker.now())) {
    cell.AddAttention(Cell::kTimerFired);
  }
  cell.ClearAttention(Cell::kSuspended);
  if (cell.request() != Ending::kNone) cell.AddAttention(Cell::kRequested);
  // A hook may have ended that the actor's way waits for.
  if (cell.phase == Phase::kPreStarting || cell.phase == Phase::kPostStarting ||
      cell.phase == Phase::kPostStopping) {
    cell.AddAttention(Cell::kLifecycle);
  }
  return got_some_back;
}

// Whether an urgent message has to wait: a handler is suspended, others wait
// already, or timers come first.
bool HoldsUrgent(const Cell& cell) {
  return cell.handler != nullptr &&
         (cell.handler->is_suspended() || cell.handler->holds_urgent() ||
          (cell.attention() & Cell::kTimerFired) != 0);
}

// Outside the seat.
void HandleUrgent(Cell& cell, Envelope* urgent) {
  if (IsControl(*urgent)) {
    HandleControl(cell, urgent);
  } else {
    (void)cell.actor_type().deliver(cell, urgent);
  }
}

// Outside the seat.
void RunDue(Cell& cell, MonotonicTime now) {
  cell.handler->TimerHasFired();
  cell.handler->RunDue(now);
}

}  // namespace

void DrainMail(Cell& cell, Worker& worker) {
  cell.Drain(cell.target(), cell, [&](Envelope* envelope, bool stale) {
    if (!stale) {
      if (envelope->lane == Lane::kAside) return AdmitAside(cell, envelope);
      HandleSignal(cell, envelope, worker);
      return;
    }
    // It was pushed for an earlier actor in this memory. A request to end that
    // one has shut this one's word by mistake.
    if (envelope->type == &kMessageType<EndRequest> &&
        cell.request() == Ending::kNone && !IsExiting(cell)) {
      cell.Reopen();
    }
    SystemCore::LocalOf(worker).burial().Add(envelope, worker);
  });
}

namespace {

// REQUIRES: MayEndAtOnce(cell).
Attention EndAtOnce(Cell& cell, Worker& worker) {
  cell.phase = Phase::kEnding;
  End(cell, worker);
  return Attention::kOver;
}

// As Attend(), whatever there is to do. Handles what kQueued stands for only if
// asked: whoever is in the midst of the normal lane goes on there.
[[gnu::noinline]] Attention AttendToAll(Cell& cell, Worker& worker,
                                        bool handles_queued) {
  if ((cell.attention() & Cell::kToken) != 0 && cell.HasMail()) {
    DrainMail(cell, worker);
  }
  // What waits now comes before messages; what comes meanwhile waits for the
  // next turn, so that messages get theirs.
  const Envelope* const last_event = cell.events().last();
  bool events_first = last_event != nullptr;
  bool got_some_back = false;
  QueuedTurn queued(cell);
  TimerTurn timers(cell);
  while (true) {
    if (cell.has_news() && TakeNews(cell, worker)) got_some_back = true;
    // Who has begun to start starts first; Advance() knows of a kill.
    if ((cell.attention() & Cell::kRequested) != 0 &&
        (cell.phase >= Phase::kRunning || IsSuspended(cell))) {
      if (MayEndAtOnce(cell)) return EndAtOnce(cell, worker);
      if (Envelope* const undelivered = ActOnRequest(cell, worker)) {
        const ExitReason reason = ExitReasonOf(cell);
        if (!OutsideSeat([&] { Mourn(cell, undelivered, reason); })) {
          return Attention::kLost;
        }
        continue;
      }
    }
    if ((cell.attention() & Cell::kLifecycle) != 0) {
      cell.ClearAttention(Cell::kLifecycle);
      const Attention result = Advance(cell, worker);
      if (result != Attention::kGoOn) return result;
      continue;
    }
    // A hook that is to hear of children waits for its turn, as a message does.
    if (events_first && (IsExiting(cell) || !IsSuspended(cell) ||
                         cell.actor_type().hears_in_hooks)) {
      Envelope* const event = cell.PopEvent();
      events_first = event != last_event;
      if (!HandleEvent(cell, event, worker)) return Attention::kLost;
      continue;
    }
    if ((cell.attention() & Lanes::kUrgent) != 0) {
      Envelope* const urgent = cell.PopUrgent();
      if (!IsControl(*urgent) && HoldsUrgent(cell)) {
        cell.handler->HoldUrgent(urgent);
        continue;
      }
      if (!OutsideSeat([&] { HandleUrgent(cell, urgent); })) {
        return Attention::kLost;
      }
      continue;
    }
    if ((cell.attention() & Cell::kTimerFired) != 0 && !timers.has_begun()) {
      cell.ClearAttention(Cell::kTimerFired);
      const MonotonicTime now = worker.now();
      timers.Begin(now);
      if (!OutsideSeat([&] { RunDue(cell, now); })) return Attention::kLost;
      continue;
    }
    if (timers.is_on()) {
      Occasion* const due = timers.Next();
      if (due != nullptr && !OutsideSeat([&] { due->OnDue(*cell.handler); })) {
        return Attention::kLost;
      }
      continue;
    }
    if (IsSuspended(cell)) break;
    if (cell.handler != nullptr && cell.handler->holds_urgent() &&
        cell.phase == Phase::kRunning) {
      Envelope* const urgent = cell.handler->PopUrgent();
      if (!OutsideSeat([&] { HandleUrgent(cell, urgent); })) {
        return Attention::kLost;
      }
      continue;
    }
    if (handles_queued && (cell.attention() & Cell::kQueued) != 0 &&
        cell.phase == Phase::kRunning) {
      if (Envelope* const envelope = queued.Next()) {
        if (!OutsideSeat([&] { HandleQueued(cell, envelope); })) {
          return Attention::kLost;
        }
        continue;
      }
      // Empty now: there may be a drain that waited for this.
      if ((cell.attention() & Cell::kQueued) == 0) continue;
    }
    break;
  }
  if (Envelope* const buried = SystemCore::LocalOf(worker).burial().Take()) {
    if (!OutsideSeat([&] { MournStrangers(*cell.system, buried); })) {
      return Attention::kLost;
    }
  }
  return got_some_back ? Attention::kEnough : Attention::kGoOn;
}

}  // namespace

Attention Attend(Cell& cell, Worker& worker) {
  // Most actors that end leave nothing to be done.
  return MayEndAtOnce(cell) ? EndAtOnce(cell, worker)
                            : AttendToAll(cell, worker, false);
}

namespace {

[[gnu::noinline]] bool AttendAndHandle(Cell& cell, Worker& worker) {
  const Attention attention = AttendToAll(cell, worker, true);
  if (attention >= Attention::kOver) return attention == Attention::kOver;
  if (attention == Attention::kEnough || cell.empty() ||
      !HandlesMessages(cell)) {
    return FinishTurn(cell, worker);
  }
  return cell.actor_type().handle_messages(cell);
}

// Something has come for a suspended handler, and nothing else. Mostly it is an
// answer, and the handler ends in the next wait. Nothing but the cell is kept
// for the other ways: to save registers would cost more.
[[gnu::noinline]] bool GoOnWithHandler(Cell& cell) {
  if (!IsReply(*cell.urgent().front())) [[unlikely]]
    return AttendAndHandle(cell, *this_thread.worker);
  Envelope* const reply = cell.PopUrgent();
  if (!OutsideSeat([&] { HandleReply(*cell.handler, reply); })) return false;
  if (cell.HasNewsOr(0xff & ~Cell::kSuspended)) [[unlikely]]
    return AttendAndHandle(cell, *this_thread.worker);
  if (!cell.empty()) [[unlikely]]
    return FinishTurn(cell, *this_thread.worker);
  cell.queue_next = nullptr;  // It rests; its wake token is in the word.
  return true;
}

}  // namespace

bool RunWholeTurn(Cell& cell, Worker& worker) {
  if (cell.attention() == (Cell::kSuspended | Lanes::kUrgent)) {
    return GoOnWithHandler(cell);
  }
  if (MayEndAtOnce(cell)) {
    return EndAtOnce(cell, worker) == Attention::kOver;
  }
  return AttendAndHandle(cell, worker);
}

void RecordFailure(Cell& cell, absl::Status status, const MessageType* at) {
  const absl::Status kept =
      Contain([&] { HandlerState::Of(cell).Fail(std::move(status), at); });
  if (kept.ok()) [[likely]]
    return;
  // No memory to say why, which may well be why. A kill takes none.
  cell.system->logger().Log(LogSeverity::kError,
                            "no memory to tell why an actor fails: it is "
                            "killed");
  SendRequest(cell, cell.CurrentId(), Ending::kKill, ExitReason::Killed());
}

void ApplyRequest(Cell& cell, Ending request, const ExitReason& reason) {
  if (request <= cell.request()) return;  // The first one wins.
  cell.set_request(request);
  cell.AddAttention(Cell::kRequested);
  if (IsExiting(cell)) return;
  // For a handler that looks whether it should end early.
  if (request == Ending::kKill) SetStatus(cell, ActorStatus::kStopping);
  if (request == Ending::kStop) SetExitReason(cell, reason);
  if (request == Ending::kDrain) SetStatus(cell, ActorStatus::kDraining);
  if (cell.LooksOpen()) cell.Shut();
  if (BoundedMailbox* const bounded = cell.bounded()) bounded->queue.Shut();
}

bool CellWoken(Runnable& runnable, Worker& worker) {
  Cell& cell = static_cast<Cell&>(runnable);
  cell.AddAttention(Cell::kToken);
  if (cell.phase == Phase::kZombie) {
    Release(cell, worker);
    return false;
  }
  // It may have come from another worker. In its turn, what it has under way
  // belongs to the thread that runs its code.
  if (!Worker::IsInTurn(cell) && cell.handler != nullptr) {
    cell.handler->ArmTimer(worker);
  }
  return true;
}

bool CellReturned(Runnable& runnable, Worker&) {
  static_cast<Cell&>(runnable).AddAttention(Cell::kLifecycle);
  return true;
}

bool CellRelease(Runnable& runnable, Worker& worker) {
  Cell& cell = static_cast<Cell&>(runnable);
  if ((cell.attention() & Cell::kToken) == 0 && !cell.Disarm()) return false;
  CellClaimed(cell, worker);
  return true;
}

void CellClaimed(Runnable& runnable, Worker& from) {
  Cell& cell = static_cast<Cell&>(runnable);
  if (cell.handler != nullptr) cell.handler->DisarmTimer(from);
}

void CellTimerDue(TimerNode& timer) {
  Cell& cell = static_cast<CellTimer&>(timer).cell;
  cell.AddAttention(Cell::kTimerFired);
  ScheduleMine(cell);
}

std::string CellName(const Runnable& runnable) {
  const Cell& cell = static_cast<const Cell&>(runnable);
  return Describe(cell.actor_type(), Identity(cell));
}

}  // namespace troupe::internal
