#include "troupe/actor/internal/ending.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/events.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/children.h"
#include "troupe/actor/internal/end_observers.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/notice.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/requests.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/shared_thread.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/stashes.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/internal/watch_table.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/contain.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe::internal {
namespace {

template <typename M>
bool Is(const Envelope& envelope) {
  return envelope.type == &kMessageType<M>;
}

// What a spawner hears of an actor that ended before it had started.
absl::Status StartStatus(const ExitReason& reason) {
  if (reason.kind() == ExitReason::Kind::kFailed) return reason.status();
  return absl::AbortedError(absl::StrCat(
      "the actor ended before it had started: ", reason.ToString()));
}

}  // namespace

Envelope* TakeWaitingMessages(Cell& cell) {
  Envelope* first = nullptr;
  Envelope** last = &first;
  if (cell.handler != nullptr) {
    while (Envelope* const held = cell.handler->PopUrgent()) {
      *last = held;
      last = &held->next;
    }
    Stashes* const stashes = cell.handler->stashes();
    EnvelopeRing aside =
        stashes != nullptr ? stashes->TakeAll() : EnvelopeRing();
    while (Envelope* const message = aside.Pop()) {
      *last = message;
      last = &message->next;
    }
  }
  while (Envelope* const urgent = cell.PopUrgent()) {
    *last = urgent;
    last = &urgent->next;
  }
  while (!cell.empty()) {
    Envelope* const message = cell.Pop();
    *last = message;
    last = &message->next;
  }
  cell.ClearAttention(Cell::kQueued);
  if (BoundedMailbox* const bounded = cell.bounded()) {
    EnvelopeList queued = bounded->queue.Close();
    while (EnvelopePtr message = queued.Pop()) {
      *last = message.release();
      last = &(*last)->next;
    }
  }
  *last = nullptr;
  return first;
}

void AnswerStart(Cell& cell, absl::Status status) {
  if (cell.extras == nullptr || !cell.extras->start_answer.IsOwed()) return;
  std::move(cell.extras->start_answer).Give(std::move(status));
}

namespace {

// What waits for the end of an actor, taken out of its cell before that is
// another's.
class Mourners {
 public:
  explicit Mourners(Cell& cell)
      : system_(*cell.system), reason_(ExitReasonOf(cell)) {
    CellExtras& extras = *cell.extras;
    if (extras.child_alarm != nullptr) {
      system_.executor().CancelAlarm(*extras.child_alarm);
    }
    end_answers_ = std::move(extras.end_answers);
    start_answer_ = std::move(extras.start_answer);
    thread_ = std::move(extras.thread);
  }

  void LeaveThread() { thread_ = nullptr; }
  void Tell() {
    for (OwedAnswer<ExitReason>& answer : end_answers_) {
      std::move(answer).Give(reason_);
    }
    if (start_answer_.IsOwed()) {
      std::move(start_answer_).Give(StartStatus(reason_));
    }
  }

 private:
  SystemCore& system_;
  const ExitReason reason_;
  std::vector<OwedAnswer<ExitReason>> end_answers_;
  OwedAnswer<absl::Status> start_answer_;
  std::shared_ptr<SharedThread> thread_;  // Its own, or shared.
};

// Marks the cell as free and gives it to its parent or the pool.
[[gnu::always_inline]] inline void GiveCellAway(Cell& cell, Worker& worker) {
  // Released for whoever acts on what it sees.
  cell.status.store(ActorStatus::kStopped, std::memory_order_release);
  cell.phase = Phase::kFree;
  cell.queue_next = nullptr;
  cell.owner.store(OwnerTag::kUnowned, std::memory_order_relaxed);
  if (Cell* const parent = cell.parent) {
    if (!MayUnlinkHere(cell, worker)) {
      Envelope* const exited = ::new (cell.inline_storage())
          Envelope{nullptr,      &kMessageType<ChildExited>, 0,
                   Lane::kEvent, EnvelopePool::kOversize,    0};
      ::new (exited->payload()) ChildExited{&cell};
      // From here on the cell is the parent's.
      TellParent(*parent, exited, worker);
      return;
    }
    Unlink(*parent, cell);
  }
  cell.DropExtras();
  CellPool::Return(cell);
}

// As Release(), for an actor with extras. Apart: what it keeps on the stack is
// not to be paid for by the others.
[[gnu::noinline]] void ReleaseAndTell(Cell& cell, Worker& worker) {
  SystemCore& system = *cell.system;
  Mourners mourners(cell);
  GiveCellAway(cell, worker);
  mourners.LeaveThread();
  system.CountEnd(&worker);
  mourners.Tell();
}

// As Release().
[[gnu::always_inline]] inline void ReleaseHere(Cell& cell, Worker& worker) {
  if (cell.extras != nullptr) [[unlikely]]
    return ReleaseAndTell(cell, worker);
  SystemCore& system = *cell.system;
  GiveCellAway(cell, worker);
  // The system may be told to go from here on; it waits for this turn.
  system.CountEnd(&worker);
}

void ForgetWaiter(Cell& cell, const ReplyRoute& route) {
  if (cell.extras == nullptr) return;
  std::erase_if(cell.extras->end_answers, [&](const auto& answer) {
    return answer.IsOwedTo(route);  // Dropped, it answers nobody.
  });
}

}  // namespace

void Release(Cell& cell, Worker& worker) { ReleaseHere(cell, worker); }

void HandleSignal(Cell& cell, Envelope* signal, Worker& worker) {
  if (IsNotice(*signal)) return AdmitNotice(cell, signal);
  if (Is<EndRequest>(*signal)) {
    EndRequest& request = signal->As<EndRequest>();
    ApplyRequest(cell, request.request, request.reason);
  } else if (Is<AwaitEnd>(*signal)) {
    cell.Extras().end_answers.push_back(std::move(signal->As<AwaitEnd>().why));
  } else if (Is<AwaitEndNoMore>(*signal)) {
    ForgetWaiter(cell, signal->As<AwaitEndNoMore>().route);
  } else if (Is<AskQueueLength>(*signal)) {
    const BoundedMailbox* const bounded = cell.bounded();
    std::move(signal->As<AskQueueLength>().length)
        .Give(cell.queued() +
              (bounded != nullptr ? bounded->queue.messages() : 0));
  } else if (Is<ChildMayBeLate>(*signal)) {
    KillLateChild(cell, worker);
  } else if (Is<MailWaits>(*signal)) {
    if (!IsExiting(cell)) cell.AddAttention(Cell::kQueued);
  } else if (Is<BeginObservingEnd>(*signal)) {
    AddEndObserver(cell, *signal->As<BeginObservingEnd>().observer);
  } else if (Is<BeginWatch>(*signal)) {
    AddWatcher(cell, signal->As<BeginWatch>(), worker.tag());
  } else if (Is<EndWatch>(*signal)) {
    RemoveWatcher(cell, signal->As<EndWatch>().key);
  }
  DestroyEnvelope(signal);
}

namespace {

// What was pushed since the mailbox was shut.
[[gnu::noinline]] void HandleLastSignals(Cell& cell, Envelope* signal,
                                         Worker& worker) {
  while (signal != nullptr) {
    Envelope* const next = signal->next;
    if (signal->target != cell.target() || signal->lane != Lane::kSignal) {
      SystemCore::LocalOf(worker).burial().Add(signal, worker);
    } else {
      HandleSignal(cell, signal, worker);
    }
    signal = next;
  }
}

// What the actor's code had under way, and answers that nobody waits for.
[[gnu::noinline]] void DropHandlerState(Cell& cell, Worker& worker) {
  if (cell.handler != nullptr) {
    cell.handler->DisarmTimer(worker);
    HandedState state = cell.handler->TakeHandedState();
    if (!state.IsEmpty()) cell.Extras().state = std::move(state);
    delete std::exchange(cell.handler, nullptr);
  }
  while (Envelope* const late = cell.PopUrgent()) {
    SystemCore::LocalOf(worker).burial().Add(late, worker);
  }
}

}  // namespace

void End(Cell& cell, Worker& worker) {
  if (cell.handler != nullptr || (cell.attention() & Lanes::kUrgent) != 0)
      [[unlikely]] {
    DropHandlerState(cell, worker);
  }
  const Mailbox::Remains remains = cell.Die();
  if (remains.chain != nullptr) [[unlikely]] {
    HandleLastSignals(cell, remains.chain, worker);
  }
  if ((cell.attention() & Cell::kToken) != 0 || remains.token_inside) {
    ReleaseHere(cell, worker);
  } else {
    // Some sender will bring the token, and wake us in vain. Until then nobody
    // may take the actor for one that runs: who finds an older tag looks at the
    // phase.
    cell.phase = Phase::kZombie;
    cell.owner.store(OwnerTag::Stale(worker.tag()), std::memory_order_relaxed);
    cell.queue_next = nullptr;
  }
}

void RunExitHooks(Cell& cell, Envelope* undelivered, const ExitReason& reason) {
  if (cell.handler != nullptr) cell.handler->PrepareToEnd(reason);
  Mourn(cell, undelivered, reason);
  const ActorType& type = cell.actor_type();
  if (reason.IsGraceful() && type.post_stop != nullptr) {
    type.post_stop(cell, reason);
  }
}

namespace {

// Keeps what the actor hands on, if its parent is to hear of it. A throw fails
// the actor.
void TakeState(Cell& cell) {
  if (cell.parent == nullptr || !HearsOfChildren(*cell.parent)) return;
  absl::Status status = Contain([&] {
    HandedState state = cell.actor_type().take_state(cell);
    HandlerState::Of(cell).HandOn(std::move(state));
  });
  if (!status.ok()) RecordFailure(cell, std::move(status));
}

// Ends the calls of an actor that has ended.
void AbandonCalls(Cell& cell) {
  if (cell.handler != nullptr) cell.handler->calls().AbandonAll();
}

void Announce(Cell& cell, const Identity& who, const ExitReason& reason) {
  if (reason.kind() == ExitReason::Kind::kFailed && cell.parent == nullptr) {
    cell.system->logger().Log(
        LogSeverity::kError,
        absl::StrCat(Describe(cell.actor_type(), who), " ", reason.ToString(),
                     reason.message_type().empty() ? "" : "; it handled ",
                     reason.message_type()));
  }
  cell.system->Publish(
      ActorEnded{who.id, who.name, cell.actor_type().class_name, reason});
}

}  // namespace

void DestroyObject(Cell& cell) {
  const ActorType& type = cell.actor_type();
  if (cell.has(Cell::kHasObject) && type.destroy != nullptr) {
    if (type.take_state != nullptr && EndsGracefully(cell)) TakeState(cell);
    type.destroy(cell);
  }
  AbandonCalls(cell);
}

void Destroy(Cell& cell, const Identity& who, const EndObservers& observers,
             const ExitReason& decided) {
  DestroyObject(cell);
  const ExitReason reason = HasFailed(cell) ? cell.handler->failure() : decided;
  for (EndObserver* const observer : observers) {
    observer->OnActorEnd(AnyActorRef(&cell, who.id.value()));
  }
  if (!cell.has(Cell::kStartFailed)) Announce(cell, who, reason);
  // Who heard of the end may have made calls in its name.
  AbandonCalls(cell);
}

namespace {

// Takes no more messages or observers, moves what was pushed into the lanes,
// and returns what does not go there. By the thread that owns the actor, which
// nobody runs.
Envelope* ShutAndTakeSignals(Cell& cell) {
  Envelope* rest = nullptr;
  cell.Shut();
  cell.Drain(cell.target(), cell, [&](Envelope* envelope, bool stale) {
    if (!stale && Is<BeginObservingEnd>(*envelope)) {
      AddEndObserver(cell, *envelope->As<BeginObservingEnd>().observer);
    }
    envelope->next = rest;
    rest = envelope;
  });
  return rest;
}

// Destroys what reached an actor that never ran. Outside the seat.
void MournUnstarted(Cell& cell, Envelope* envelope) {
  while (envelope != nullptr) {
    Envelope* const next = envelope->next;
    if (envelope->lane != Lane::kSignal && !IsControl(*envelope)) {
      BecomeDeadLetter(cell, cell.CurrentId(), envelope, SendResult::kNoActor);
    } else {
      DestroyEnvelope(envelope);
    }
    envelope = next;
  }
}

}  // namespace

void AbandonStart(Cell& cell) {
  SystemCore& system = *cell.system;
  cell.parent = nullptr;
  cell.set(Cell::kStartFailed);
  if (cell.newest_child != nullptr) {
    // Its children run already: it ends as an actor does.
    cell.AddAttention(Cell::kToken | Cell::kLifecycle);
    cell.phase = Phase::kPreStarting;
    const uint64_t tag = EnterSeat();
    Worker* const worker = system.WorkerOfThisThread(tag);
    // A dedicated worker may end before this actor does.
    if (worker != nullptr && worker->kind() == Worker::Kind::kShared) {
      worker->Adopt(cell);
      LeaveSeat();
    } else {
      LeaveSeat();
      system.executor().Inject(cell);
    }
    return;
  }
  const ActingFor acting(cell);
  // All user code from here on runs in this phase, as that of an actor which
  // has run does: it begins no child, timer or monitor, which the next actor in
  // this memory would inherit. The order keeps step with Advance(); but what
  // nobody has seen run keeps its timers, and what it was sent, until its
  // object is gone.
  cell.phase = Phase::kDestroying;
  Envelope* const signals = ShutAndTakeSignals(cell);
  Destroy(cell, Identity(cell), TakeEndObservers(cell), ExitReason());
  if (OthersHearOfEnd(cell)) {
    SetExitReason(cell, cell.handler->TakeFailure());
    const uint64_t tag = EnterSeat();
    while (!TellOthersOfEnd(cell, tag)) {
    }
    LeaveSeat();
  }
  // Nobody runs it, and the token never left: this thread owns it.
  const Mailbox::Remains remains = cell.Die();
  if (cell.handler != nullptr) cell.handler->PrepareToEnd(ExitReason());
  MournUnstarted(cell, TakeMessages(cell));
  MournUnstarted(cell, signals);
  MournUnstarted(cell, remains.chain);
  // Destructors of those messages may have made calls.
  AbandonCalls(cell);
  delete std::exchange(cell.handler, nullptr);
  cell.DropExtras();
  SetStatus(cell, ActorStatus::kStopped);
  cell.phase = Phase::kFree;
  CellPool::Return(cell);
  const uint64_t tag = EnterSeat();
  system.CountEnd(system.WorkerOfThisThread(tag));
  LeaveSeat();
}

}  // namespace troupe::internal
