#include "troupe/actor/internal/lifecycle.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/children.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/ending.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/base/contain.h"

namespace troupe::internal {
namespace {

constexpr absl::Duration kMaxTurn = absl::Microseconds(50);

// How many messages of a bounded mailbox lie between looks at the clock.
constexpr int kMessagesPerLook = 256;

// Decides how the actor ends, unless that has been decided.
void DecideExit(Cell& cell, const ExitReason& reason) {
  if (IsExiting(cell)) return;
  SetExitReason(cell, reason);
  cell.phase = Phase::kExiting;
  cell.AddAttention(Cell::kLifecycle);
}

// Makes a failure that user code left behind the reason to end.
void TakeFailure(Cell& cell) {
  const std::unique_ptr<absl::Status> failure(
      std::exchange(cell.failure, nullptr));
  const ExitReason reason = ExitReason::Failed(*failure);
  if (cell.phase == Phase::kPreStarting) cell.set(Cell::kStartFailed);
  if (cell.phase == Phase::kPostStopping) {
    SetExitReason(cell, reason);  // PostStop itself failed.
  } else {
    DecideExit(cell, reason);
  }
}

// Constructs the object and runs PreStart, in the actor's first turn. Outside
// the seat.
void StartHere(Cell& cell, absl::AnyInvocable<void(Cell&)> construct) {
  absl::Status status = Contain([&] { construct(cell); });
  if (status.ok()) {
    cell.set(Cell::kHasObject);
    if (cell.actor_type().pre_start != nullptr) {
      status = cell.actor_type().pre_start(cell);
    }
  }
  if (!status.ok()) RecordFailure(cell, std::move(status));
}

// Outside the seat.
void RunPostStart(Cell& cell) {
  absl::Status status = cell.actor_type().post_start(cell);
  if (!status.ok()) RecordFailure(cell, std::move(status));
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
    if (cell.failure != nullptr) TakeFailure(cell);
    switch (cell.phase) {
      case Phase::kCreated: {
        if (cell.request() == Ending::kKill) {
          cell.set(Cell::kStartFailed);
          DecideExit(cell, ExitReason::Killed());
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
          if (!OutsideSeat([&] { RunPostStart(cell); })) {
            return Attention::kLost;
          }
          if (cell.failure != nullptr) break;
        }
        [[fallthrough]];
      case Phase::kPostStarting:
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
        TellParentOfStart(cell, worker);
        return Attention::kGoOn;
      case Phase::kExiting: {
        if (cell.LooksOpen()) cell.Shut();
        if (cell.HasMail()) DrainMail(cell, worker);
        SetStatus(cell, ActorStatus::kStopping);
        Envelope* const undelivered = TakeMessages(cell);
        cell.phase = Phase::kPostStopping;
        if (undelivered != nullptr || RunsPostStop(cell)) {
          const ExitReason reason = ExitReasonOf(cell);
          if (!OutsideSeat([&] { RunExitHooks(cell, undelivered, reason); })) {
            return Attention::kLost;
          }
          if (cell.failure != nullptr) break;
        }
        [[fallthrough]];
      }
      case Phase::kPostStopping:
        cell.phase = Phase::kAwaitingChildren;
        EndChildren(cell, worker);
        [[fallthrough]];
      case Phase::kAwaitingChildren:
        if (cell.newest_child != nullptr) return Attention::kGoOn;
        cell.phase = Phase::kDestroying;
        if (NeedsFarewell(cell)) {
          const Identity who(cell);
          const ExitReason reason = ExitReasonOf(cell);
          if (!OutsideSeat([&] { Destroy(cell, who, reason); })) {
            return Attention::kLost;
          }
          if (cell.failure != nullptr) break;
        } else if (cell.actor_type().destroy != nullptr) {
          if (!OutsideSeat([&] { DestroyObject(cell); })) {
            return Attention::kLost;
          }
          if (cell.failure != nullptr) break;
        }
        [[fallthrough]];
      case Phase::kDestroying:
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
         (cell.attention() & (Mailbox::kUrgent | Cell::kQueued)) == 0;
}

// What of a bounded mailbox a turn may handle: as much as waited when it began,
// unless that takes too long.
class BoundedTurn {
 public:
  explicit BoundedTurn(Cell& cell) : cell_(cell) {}

  // The next message; null if the turn is over for the queue, or the queue is
  // empty: then it is armed.
  Envelope* Next() {
    BoundedQueue& queue = cell_.bounded()->queue;
    if (left_ < 0) {
      left_ = static_cast<int64_t>(std::max<uint64_t>(queue.messages(), 1));
    }
    if (left_ == 0) return nullptr;
    if (left_-- % kMessagesPerLook == 0 && TurnIsLong(cell_, clock_)) {
      left_ = 0;
    }
    Envelope* const envelope = queue.Pop();
    if (envelope == nullptr) cell_.ClearAttention(Cell::kQueued);
    return envelope;
  }

 private:
  Cell& cell_;
  int64_t left_ = -1;  // Not looked at yet.
  TurnClock clock_;
};

void ActOnRequest(Cell& cell, Worker& worker) {
  if (IsExiting(cell)) {
    // Kill overtakes a graceful end that waits for children.
    if (cell.request() == Ending::kKill &&
        cell.exit_kind != ExitReason::Kind::kKilled &&
        cell.phase <= Phase::kAwaitingChildren) {
      if (cell.exit_kind != ExitReason::Kind::kFailed) {
        SetExitReason(cell, ExitReason::Killed());
      }
      if (cell.phase == Phase::kAwaitingChildren) KillChildren(cell, worker);
    }
    cell.ClearAttention(Cell::kRequested);
    return;
  }
  switch (cell.request()) {
    case Ending::kNone:
      cell.ClearAttention(Cell::kRequested);
      return;
    case Ending::kKill:
      cell.ClearAttention(Cell::kRequested);
      DecideExit(cell, ExitReason::Killed());
      return;
    case Ending::kStop:
      cell.ClearAttention(Cell::kRequested);
      // The reason was kept when the request came.
      cell.phase = Phase::kExiting;
      cell.AddAttention(Cell::kLifecycle);
      return;
    case Ending::kDrain:
      // Stays requested until all is handled.
      if (cell.HasMail()) DrainMail(cell, worker);
      if (cell.request() == Ending::kDrain && IsHandled(cell)) {
        cell.ClearAttention(Cell::kRequested);
        DecideExit(cell, ExitReason::Drained());
      }
      return;
  }
}

}  // namespace

void DrainMail(Cell& cell, Worker& worker) {
  cell.Drain(cell.target(), cell.lanes, [&](Envelope* envelope, bool stale) {
    if (!stale) {
      HandleSignal(cell, envelope, worker);
      return;
    }
    // It was pushed for an earlier actor in this memory. A request to end that
    // one has shut this one's word by mistake.
    if (envelope->type == &kMessageType<EndRequest> &&
        cell.request() == Ending::kNone && !IsExiting(cell)) {
      cell.Reopen();
    }
    SystemCore::LocalOf(worker).Bury(envelope);
  });
}

Attention Attend(Cell& cell, Worker& worker) {
  if ((cell.attention() & Cell::kToken) != 0 && cell.HasMail()) {
    DrainMail(cell, worker);
  }
  // What waits now comes before messages; what comes meanwhile waits for the
  // next turn, so that messages get theirs.
  const Envelope* const last_event = cell.lanes.events.last();
  bool events_first = last_event != nullptr;
  BoundedTurn bounded(cell);
  while (true) {
    if (cell.failure != nullptr) TakeFailure(cell);
    // Who has begun to start starts first; Advance() knows of a kill.
    if ((cell.attention() & Cell::kRequested) != 0 &&
        cell.phase >= Phase::kRunning) {
      ActOnRequest(cell, worker);
    }
    if ((cell.attention() & Cell::kLifecycle) != 0) {
      cell.ClearAttention(Cell::kLifecycle);
      const Attention result = Advance(cell, worker);
      if (result != Attention::kGoOn) return result;
      continue;
    }
    if (events_first) {
      Envelope* const event = cell.PopEvent(cell.lanes);
      events_first = event != last_event;
      if (!HandleEvent(cell, event, worker)) return Attention::kLost;
      continue;
    }
    if ((cell.attention() & Mailbox::kUrgent) != 0 && !IsExiting(cell)) {
      Envelope* const urgent = cell.PopUrgent(cell.lanes);
      if (!OutsideSeat(
              [&] { (void)cell.actor_type().deliver(cell, urgent); })) {
        return Attention::kLost;
      }
      continue;
    }
    if ((cell.attention() & Cell::kQueued) != 0 &&
        cell.phase == Phase::kRunning) {
      if (Envelope* const message = bounded.Next()) {
        if (!OutsideSeat(
                [&] { (void)cell.actor_type().deliver(cell, message); })) {
          return Attention::kLost;
        }
        continue;
      }
      // Empty now: there may be a drain that waited for this.
      if ((cell.attention() & Cell::kQueued) == 0) continue;
    }
    break;
  }
  if (Envelope* const buried = SystemCore::LocalOf(worker).TakeBuried()) {
    if (!OutsideSeat([&] { MournStrangers(*cell.system, buried); })) {
      return Attention::kLost;
    }
  }
  return Attention::kGoOn;
}

bool TurnIsLong(Cell& cell, TurnClock& clock) {
  const int64_t now = cell.system->executor().clock().Now().ToNanoseconds();
  if (clock.began_ns == 0) clock.began_ns = now;
  return now - clock.began_ns > absl::ToInt64Nanoseconds(kMaxTurn);
}

bool FinishTurn(Cell& cell, Worker& worker) {
  if (!cell.empty() &&
      cell.queued() > cell.system->limits().high_water_messages &&
      !cell.has(Cell::kReportedHighWater)) [[unlikely]] {
    cell.set(Cell::kReportedHighWater);
    const Identity who(cell);
    const uint32_t queued = cell.queued();
    if (!OutsideSeat([&] { ReportHighWater(cell, who, queued); })) return false;
  }
  const uint8_t attention = cell.attention();
  if (!cell.empty() || (attention & ~Cell::kToken) != 0) {
    worker.Yield(cell);
  } else if ((attention & Cell::kToken) == 0) {
    cell.queue_next = nullptr;
  } else {
    cell.ClearAttention(Cell::kToken);
    if (cell.Arm()) {
      cell.queue_next = nullptr;
    } else {
      cell.AddAttention(Cell::kToken);
      worker.Yield(cell);
    }
  }
  return true;
}

void RecordFailure(Cell& cell, absl::Status status) {
  if (cell.failure == nullptr) {
    cell.failure = new absl::Status(std::move(status));
  }
}

void ApplyRequest(Cell& cell, Ending request, const ExitReason& reason) {
  if (request <= cell.request()) return;  // The first one wins.
  cell.set_request(request);
  cell.AddAttention(Cell::kRequested);
  if (IsExiting(cell)) return;
  if (request == Ending::kStop) SetExitReason(cell, reason);
  if (request == Ending::kDrain) SetStatus(cell, ActorStatus::kDraining);
  if (cell.LooksOpen()) cell.Shut();
  if (BoundedMailbox* const bounded = cell.bounded()) bounded->queue.Shut();
}

bool CellWoken(Runnable& runnable, Worker& worker) {
  Cell& cell = static_cast<Cell&>(runnable);
  cell.AddAttention(Cell::kToken);
  if (cell.phase != Phase::kZombie) return true;
  Release(cell, worker);
  return false;
}

bool CellReturned(Runnable& runnable, Worker&) {
  static_cast<Cell&>(runnable).AddAttention(Cell::kLifecycle);
  return true;
}

bool CellRelease(Runnable& runnable, Worker&) {
  Cell& cell = static_cast<Cell&>(runnable);
  return (cell.attention() & Cell::kToken) != 0 || cell.Disarm();
}

std::string CellName(const Runnable& runnable) {
  const Cell& cell = static_cast<const Cell&>(runnable);
  return Describe(cell.actor_type(), Identity(cell));
}

}  // namespace troupe::internal
