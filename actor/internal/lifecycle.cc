#include "troupe/actor/internal/lifecycle.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_core.h"

namespace troupe::internal {
namespace {

// Children's events before one message gets its turn.
constexpr int kMaxEventsInARow = 64;

constexpr absl::Duration kMaxTurn = absl::Microseconds(50);

std::string Describe(const ActorType& type, ActorId id,
                     const std::string& name) {
  std::string text = absl::StrCat(
      absl::string_view(type.class_name.data(), type.class_name.size()), " ",
      id.ToString());
  if (!name.empty()) absl::StrAppend(&text, " '", name, "'");
  return text;
}

// Runs user code outside the seat. False: the seat is lost.
template <typename F>
[[nodiscard]] bool OutsideSeat(F&& user_code) {
  LeaveForUserCode();
  std::forward<F>(user_code)();
  return ReturnFromUserCode();
}

template <typename M>
bool Is(const Envelope& envelope) {
  return envelope.type == &kMessageType<M>;
}

bool IsExiting(const Cell& cell) { return cell.phase >= Phase::kExiting; }

const std::string& NameOf(const Cell& cell) {
  static const std::string* const none = new std::string;
  return cell.extras != nullptr ? cell.extras->name : *none;
}

ExitReason ExitReasonOf(const Cell& cell) {
  if (cell.extras != nullptr &&
      cell.extras->exit_reason.kind() == cell.exit_kind) {
    return cell.extras->exit_reason;
  }
  switch (cell.exit_kind) {
    case ExitReason::Kind::kShutdown:
      return ExitReason::Shutdown();
    case ExitReason::Kind::kDrained:
      return ExitReason::Drained();
    case ExitReason::Kind::kKilled:
      return ExitReason::Killed();
    default:
      return ExitReason::Normal();
  }
}

void SetExitReason(Cell& cell, const ExitReason& reason) {
  cell.exit_kind = reason.kind();
  if (!reason.status().ok() || !reason.detail().empty()) {
    cell.Extras().exit_reason = reason;
  }
}

void SetStatus(Cell& cell, ActorStatus status) {
  // Only the owner writes; it is released for whoever acts on what it sees.
  if (cell.status.load(std::memory_order_relaxed) < status) {
    cell.status.store(status, std::memory_order_release);
  }
}

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
  if (failure == nullptr) return;
  const ExitReason reason = ExitReason::Failed(*failure);
  if (cell.phase == Phase::kPreStarting) cell.set(Cell::kStartFailed);
  if (cell.phase == Phase::kPostStopping) {
    SetExitReason(cell, reason);  // PostStop itself failed.
  } else {
    DecideExit(cell, reason);
  }
}

void DestroySignal(Envelope* signal) { DestroyEnvelope(signal); }

// -- children
// ---------------------------------------------------------------------

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

// In the seat of `worker`: asks any cell to end.
void RequestEnd(Cell& cell, Ending request, const ExitReason& reason,
                Worker& worker) {
  if (OwnerTag::SameOwner(cell.owner.load(std::memory_order_relaxed),
                          worker.tag())) {
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
    DestroySignal(signal);  // It is ending already.
  } else if (result == PushResult::kMustWake && !worker.Claim(cell)) {
    WakeOwner(cell);
  }
}

// Asks the youngest child to stop; it has a limited time for that.
void StopNextChild(Cell& cell, Worker& worker) {
  Cell& child = *cell.newest_child;
  RequestEnd(child, Ending::kStop, ExitReason::Shutdown(), worker);
  const uint64_t child_id = child.id.load(std::memory_order_relaxed);
  const uint64_t id = cell.id.load(std::memory_order_relaxed);
  CellExtras& extras = cell.Extras();
  Executor& executor = cell.system->executor();
  if (extras.child_alarm != nullptr) executor.CancelAlarm(*extras.child_alarm);
  extras.child_alarm = std::make_unique<Alarm>([&cell, id, child_id] {
    Envelope* const signal = MakeEnvelope<ChildTookTooLong>(child_id);
    if (!SendSignal(cell, id, signal, Mailbox::Word::Kind::kSignal)) {
      DestroySignal(signal);
    }
  });
  executor.SetAlarm(
      *extras.child_alarm,
      executor.clock().Now() + cell.system->limits().child_stop_timeout);
}

void KillChildren(Cell& cell, Worker& worker) {
  for (Cell* child = cell.newest_child; child != nullptr;
       child = child->older_sibling) {
    RequestEnd(*child, Ending::kKill, ExitReason::Killed(), worker);
  }
}

void EndChildren(Cell& cell, Worker& worker) {
  if (cell.newest_child == nullptr) return;
  if (ExitReasonOf(cell).IsGraceful()) {
    StopNextChild(cell, worker);
  } else {
    KillChildren(cell, worker);
  }
}

// -- the end
// ----------------------------------------------------------------------

// Outside the seat.
void BecomeDeadLetters(Cell& cell, Envelope* undelivered) {
  const uint64_t id = cell.id.load(std::memory_order_relaxed);
  while (undelivered != nullptr) {
    Envelope* const next = undelivered->next;
    BecomeDeadLetter(cell, id, undelivered, SendResult::kStopped);
    undelivered = next;
  }
}

// Takes all messages out of the lanes; what remains are children's events.
Envelope* TakeMessages(Cell& cell) {
  Envelope* first = nullptr;
  Envelope** last = &first;
  while (Envelope* const urgent = cell.PopUrgent(cell.lanes)) {
    *last = urgent;
    last = &urgent->next;
  }
  while (!cell.empty()) {
    Envelope* const message = cell.Pop();
    *last = message;
    last = &message->next;
  }
  *last = nullptr;
  return first;
}

// What a spawner hears of an actor that ended before it had started.
absl::Status StartStatus(const ExitReason& reason) {
  if (reason.kind() == ExitReason::Kind::kFailed) return reason.status();
  return absl::AbortedError(absl::StrCat(
      "the actor ended before it had started: ", reason.ToString()));
}

void AnswerStart(Cell& cell, absl::Status status) {
  if (cell.extras == nullptr || cell.extras->start_waiter == nullptr) return;
  const std::shared_ptr<StartWaiter> waiter =
      std::move(cell.extras->start_waiter);
  waiter->status = std::move(status);
  waiter->started.Set();
}

// The last step, with the wake token in hand.
void Release(Cell& cell, Worker& worker) {
  SystemCore& system = *cell.system;
  std::vector<std::shared_ptr<EndWaiter>> waiters;
  ExitReason reason;
  Worker* dedicated = nullptr;
  if (cell.extras != nullptr) {
    if (cell.extras->child_alarm != nullptr) {
      system.executor().CancelAlarm(*cell.extras->child_alarm);
    }
    waiters = std::move(cell.extras->end_waiters);
    dedicated = cell.extras->dedicated_worker;
    if (!waiters.empty()) reason = ExitReasonOf(cell);
    AnswerStart(cell, StartStatus(ExitReasonOf(cell)));
  }
  SetStatus(cell, ActorStatus::kStopped);
  cell.phase = Phase::kFree;
  cell.queue_next = nullptr;
  cell.owner.store(OwnerTag::kUnowned, std::memory_order_relaxed);
  if (cell.parent != nullptr) {
    Cell& parent = *cell.parent;
    Envelope* const exited = ::new (cell.inline_storage())
        Envelope{nullptr,      &kMessageType<ChildExited>, parent.target(),
                 Lane::kEvent, EnvelopePool::kOversize,    0};
    ::new (exited->payload()) ChildExited{&cell};
    // From here on the cell is the parent's, which cannot end before it has
    // seen this.
    (void)PutInLane(parent, parent.id.load(std::memory_order_relaxed), exited,
                    worker);
  } else {
    delete std::exchange(cell.extras, nullptr);
    CellPool::Return(cell);
  }
  for (const std::shared_ptr<EndWaiter>& waiter : waiters) {
    waiter->reason = reason;
    waiter->ended.Set();
  }
  if (dedicated != nullptr)
    system.executor().ReleaseDedicatedWorker(*dedicated);
  // Last: with no actor left, the system may go.
  system.CountEnd(&worker);
}

void HandleSignal(Cell& cell, Envelope* signal, Worker& worker) {
  if (Is<EndRequest>(*signal)) {
    EndRequest& request = signal->As<EndRequest>();
    ApplyRequest(cell, request.request, request.reason);
  } else if (Is<AwaitEnd>(*signal)) {
    cell.Extras().end_waiters.push_back(
        std::move(signal->As<AwaitEnd>().waiter));
  } else if (Is<ChildTookTooLong>(*signal)) {
    const uint64_t late = signal->As<ChildTookTooLong>().child;
    Cell* const child = cell.newest_child;
    if (child != nullptr && child->id.load(std::memory_order_relaxed) == late) {
      RequestEnd(*child, Ending::kKill, ExitReason::Killed(), worker);
    }
  }
  DestroySignal(signal);
}

// Ends the mailbox and, with the token here, everything.
void End(Cell& cell, Worker& worker) {
  const Mailbox::Remains remains = cell.Die();
  for (Envelope* signal = remains.chain; signal != nullptr;) {
    Envelope* const next = signal->next;
    if (signal->target != cell.target()) {
      SystemCore::LocalOf(worker).Bury(signal);
    } else {
      HandleSignal(cell, signal, worker);
    }
    signal = next;
  }
  if ((cell.attention() & Cell::kToken) != 0 || remains.token_inside) {
    Release(cell, worker);
  } else {
    // Some sender will bring the token, and wake us in vain.
    cell.phase = Phase::kZombie;
    cell.queue_next = nullptr;
  }
}

// -- phases
// -----------------------------------------------------------------------

void TellParentOfStart(Cell& cell, Worker& worker) {
  if (cell.parent == nullptr || cell.parent->actor_type().on_child == nullptr) {
    return;
  }
  const uint64_t id = cell.id.load(std::memory_order_relaxed);
  Envelope* const started = MakeEnvelope<ChildStarted>(ChildEvent{
      ChildEvent::Kind::kStarted, AnyActorRef(&cell, id), NameOf(cell), {}});
  started->lane = Lane::kEvent;
  started->target = cell.parent->target();
  if (!PutInLane(*cell.parent, cell.parent->id.load(std::memory_order_relaxed),
                 started, worker)) {
    DestroySignal(started);
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
void RunExitHooks(Cell& cell, Envelope* undelivered, const ExitReason& reason) {
  BecomeDeadLetters(cell, undelivered);
  const ActorType& type = cell.actor_type();
  if (!reason.IsGraceful() || type.post_stop == nullptr) return;
  absl::Status status = type.post_stop(cell, reason);
  if (!status.ok()) RecordFailure(cell, std::move(status));
}

// What is told of an actor: gathered in the seat, because its owner may add to
// the extras while user code runs.
struct Identity {
  explicit Identity(const Cell& cell)
      : id(cell.id.load(std::memory_order_relaxed)),
        parent(cell.parent != nullptr
                   ? cell.parent->id.load(std::memory_order_relaxed)
                   : 0),
        name(NameOf(cell)) {}
  ActorId id;
  ActorId parent;
  std::string name;
};

// Outside the seat.
void RunPostStart(Cell& cell, const Identity& who) {
  const ActorType& type = cell.actor_type();
  if (type.post_start != nullptr) {
    absl::Status status = type.post_start(cell);
    if (!status.ok()) {
      RecordFailure(cell, std::move(status));
      return;
    }
  }
  cell.system->Publish(
      ActorStarted{who.id, who.parent, who.name, type.class_name});
}

// Outside the seat: the object is destroyed, then the name is free, then
// whoever watches may know.
void Destroy(Cell& cell, const Identity& who, const ExitReason& reason) {
  if (cell.has(Cell::kHasObject)) cell.actor_type().destroy(cell);
  if (!who.name.empty()) {
    cell.system->names()->Release(who.name, AnyActorRef(&cell, who.id.value()));
  }
  if (cell.has(Cell::kStartFailed)) return;
  if (reason.kind() == ExitReason::Kind::kFailed && cell.parent == nullptr) {
    cell.system->logger().Log(
        LogSeverity::kError,
        absl::StrCat(Describe(cell.actor_type(), who.id, who.name), " ",
                     reason.ToString()));
  }
  cell.system->Publish(
      ActorEnded{who.id, who.name, cell.actor_type().class_name, reason});
}

// Outside the seat: a mailbox has grown beyond what is usual.
void ReportHighWater(Cell& cell, const Identity& who, uint32_t queued) {
  cell.system->logger().Log(
      LogSeverity::kWarning,
      absl::StrCat(Describe(cell.actor_type(), who.id, who.name), " has ",
                   queued,
                   " messages waiting; bound its mailbox, or slow its senders "
                   "down"));
  cell.system->Publish(HighWater{who.id, cell.actor_type().class_name, queued});
}

// Outside the seat: what was sent to actors that lived in the same memory
// before.
void MournStrangers(SystemCore& system, Envelope* envelope) {
  while (envelope != nullptr) {
    Envelope* const next = envelope->next;
    if (envelope->lane != Lane::kSignal) {
      system.MournMessage(ActorId(), DeadLetter::Reason::kNoActor, *envelope);
    }
    DestroyEnvelope(envelope);
    envelope = next;
  }
}

// Goes from phase to phase as far as possible.
Attention Advance(Cell& cell, Worker& worker) {
  while (true) {
    TakeFailure(cell);
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
        break;
      case Phase::kStarted: {
        if (cell.request() == Ending::kKill) {
          DecideExit(cell, ExitReason::Killed());
          break;
        }
        cell.phase = Phase::kPostStarting;
        const Identity who(cell);
        if (!OutsideSeat([&] { RunPostStart(cell, who); })) {
          return Attention::kLost;
        }
        break;
      }
      case Phase::kPostStarting:
        cell.phase = Phase::kRunning;
        SetStatus(cell, ActorStatus::kRunning);
        TellParentOfStart(cell, worker);
        return Attention::kGoOn;
      case Phase::kExiting: {
        cell.Shut();
        DrainMail(cell, worker);
        SetStatus(cell, ActorStatus::kStopping);
        Envelope* const undelivered = TakeMessages(cell);
        cell.phase = Phase::kPostStopping;
        const ExitReason reason = ExitReasonOf(cell);
        if (!OutsideSeat([&] { RunExitHooks(cell, undelivered, reason); })) {
          return Attention::kLost;
        }
        break;
      }
      case Phase::kPostStopping:
        cell.phase = Phase::kAwaitingChildren;
        EndChildren(cell, worker);
        break;
      case Phase::kAwaitingChildren: {
        if (cell.newest_child != nullptr) return Attention::kGoOn;
        cell.phase = Phase::kDestroying;
        const Identity who(cell);
        const ExitReason reason = ExitReasonOf(cell);
        if (!OutsideSeat([&] { Destroy(cell, who, reason); })) {
          return Attention::kLost;
        }
        break;
      }
      case Phase::kDestroying:
        cell.phase = Phase::kEnding;
        break;
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

// -- requests and events
// ----------------------------------------------------------

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
      if (cell.empty() && (cell.attention() & Mailbox::kUrgent) == 0 &&
          cell.request() == Ending::kDrain) {
        cell.ClearAttention(Cell::kRequested);
        DecideExit(cell, ExitReason::Drained());
      }
      return;
  }
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
      AnyActorRef(&child, child.id.load(std::memory_order_relaxed)),
      NameOf(child), std::move(reason)};
  delete std::exchange(child.extras, nullptr);
  CellPool::Return(child);
  return event;
}

// Handles one event of a child. False: the seat is lost.
[[nodiscard]] bool HandleEvent(Cell& cell, Envelope* envelope, Worker& worker) {
  if (Is<ChildStarted>(*envelope)) {
    ChildEvent event = std::move(envelope->As<ChildStarted>().event);
    DestroySignal(envelope);
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
      } else if (ExitReasonOf(cell).IsGraceful()) {
        StopNextChild(cell, worker);
      }
    }
    return true;
  }
  const ChildEvent event = BuryChild(cell, child);
  return OutsideSeat([&] { TellOfChild(cell, event); });
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
    if (Is<EndRequest>(*envelope) && cell.request() == Ending::kNone &&
        !IsExiting(cell)) {
      cell.Reopen();
    }
    SystemCore::LocalOf(worker).Bury(envelope);
  });
}

Attention Attend(Cell& cell, Worker& worker) {
  if ((cell.attention() & Cell::kToken) != 0 && cell.HasMail()) {
    DrainMail(cell, worker);
  }
  int events = 0;
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
    if ((cell.attention() & Mailbox::kEvents) != 0 &&
        (events < kMaxEventsInARow || cell.empty())) {
      ++events;
      if (!HandleEvent(cell, cell.PopEvent(cell.lanes), worker)) {
        return Attention::kLost;
      }
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
}

bool PutInLane(Cell& cell, uint64_t id, Envelope* envelope, Worker& worker) {
  const uint64_t owner = cell.owner.load(std::memory_order_relaxed);
  if (OwnerTag::SameOwner(owner, worker.tag())) {
    if (cell.id.load(std::memory_order_relaxed) != id) return false;
    if (owner != worker.tag()) DrainMail(cell, worker);
    cell.AppendToLane(envelope, cell.lanes);
    ScheduleMine(cell);
    return true;
  }
  const Mailbox::Reading reading = cell.Load();
  if (cell.id.load(std::memory_order_relaxed) != id) return false;
  const PushResult result =
      cell.Push(reading, envelope, Mailbox::Word::Kind::kSignal);
  if (result == PushResult::kMustWake && !worker.Claim(cell)) WakeOwner(cell);
  return result != PushResult::kClosed;
}

void AbandonStart(Cell& cell) {
  SystemCore& system = *cell.system;
  cell.parent = nullptr;
  cell.set(Cell::kStartFailed);
  if (cell.newest_child != nullptr) {
    // Its children run already: it ends as an actor does.
    cell.AddAttention(Cell::kToken | Cell::kLifecycle);
    cell.phase = Phase::kPreStarting;
    const uint64_t tag = EnterSeat();
    if (Worker* const worker = system.WorkerOfThisThread(tag)) {
      worker->Adopt(cell);
      LeaveSeat();
    } else {
      LeaveSeat();
      system.executor().Inject(cell);
    }
    return;
  }
  Destroy(cell, Identity(cell), ExitReason());
  // Nobody runs it, and the token never left: this thread owns it.
  const Mailbox::Remains remains = cell.Die();
  for (Envelope* envelope = remains.chain; envelope != nullptr;) {
    Envelope* const next = envelope->next;
    if (envelope->lane != Lane::kSignal) {
      system.MournMessage(ActorId(cell.id.load(std::memory_order_relaxed)),
                          DeadLetter::Reason::kNoActor, *envelope);
    }
    DestroyEnvelope(envelope);
    envelope = next;
  }
  delete std::exchange(cell.failure, nullptr);
  delete std::exchange(cell.extras, nullptr);
  SetStatus(cell, ActorStatus::kStopped);
  cell.phase = Phase::kFree;
  CellPool::Return(cell);
  const uint64_t tag = EnterSeat();
  system.CountEnd(system.WorkerOfThisThread(tag));
  LeaveSeat();
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
  const Identity who(cell);
  return Describe(cell.actor_type(), who.id, who.name);
}

}  // namespace troupe::internal
