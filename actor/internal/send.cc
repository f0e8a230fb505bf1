#include "troupe/actor/internal/send.h"

#include <utility>

#include "troupe/actor/internal/bounded_mailbox.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/description.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/far_cell.h"
#include "troupe/actor/internal/id_space.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/queued_turn.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/actor/internal/signals.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/mailbox/envelope_list.h"

namespace troupe::internal {
namespace {

// The worker that the calling thread drives, inside its seat with `tag`.
Worker* SeatedWorker(uint64_t tag) {
  return tag != OwnerTag::kNoSeat ? this_thread.worker : nullptr;
}

bool SameWorker(const Cell& cell, uint64_t tag) {
  return tag != OwnerTag::kNoSeat &&
         OwnerTag::SameOwner(cell.owner.load(std::memory_order_relaxed), tag);
}

bool HasId(const Cell& cell, uint64_t id) {
  // Relaxed: if it follows Load(), that orders it; otherwise the owner reads
  // what it wrote.
  return cell.id.load(std::memory_order_relaxed) == id;
}

SendResult WhyRefused(const Cell& cell, uint64_t id) {
  if (const FarCell* const far = FarCell::Of(&cell)) return far->WhyRefused();
  // The word first: else the memory may begin to serve another in between.
  const Mailbox::Reading reading = cell.Load();
  return Mailbox::Word::IsAlive(reading) && HasId(cell, id)
             ? SendResult::kStopped
             : SendResult::kNoActor;
}

// Gives the wake token away, in or outside the seat.
void PassToken(Cell& cell, Worker* worker) {
  if (worker == nullptr || !worker->Claim(cell)) WakeOwner(cell);
}

// There is no such actor here.
[[gnu::noinline]] PushResult PushElsewhere(Cell& cell, uint64_t id,
                                           Envelope* envelope) {
  FarCell* const far = FarCell::Of(&cell);
  if (far == nullptr) return PushResult::kClosed;
  if (!IsRefused(far->Take(id, envelope))) return PushResult::kEnqueued;
  BlameConnection(*envelope);
  return PushResult::kClosed;
}

// In the seat: pushes to a cell that this thread does not own.
PushResult PushAsStranger(Cell& cell, uint64_t id, Envelope* envelope,
                          uint64_t tag, Mailbox::Word::Kind kind) {
  const Mailbox::Reading reading = cell.Load();
  if (!HasId(cell, id)) [[unlikely]]
    return PushElsewhere(cell, id, envelope);
  envelope->target = static_cast<uint32_t>(id);
  const PushResult result = cell.Push(reading, envelope, kind);
  if (result == PushResult::kMustWake) PassToken(cell, SeatedWorker(tag));
  return result;
}

// In the seat with `tag`, or anywhere with that of no seat: has a message wait
// behind all that was pushed.
SendResult PushMessage(Cell& cell, uint64_t id, Envelope* envelope,
                       uint64_t tag) {
  return PushAsStranger(cell, id, envelope, tag,
                        Mailbox::Word::Kind::kMessage) == PushResult::kClosed
             ? WhyRefused(cell, id)
             : SendResult::kSent;
}

// In the seat, on the worker that owns the cell, whose tag there is an older
// one: brings the order of what was pushed and what is appended next together.
void CatchUpWithMail(Cell& cell, Worker& worker) {
  // It has been accepted, and the sender of another message is not to blame.
  MustHaveMemory("what an actor was sent", [&] { DrainMail(cell, worker); });
  // Draining may have found a reason to look.
  if ((cell.attention() & ~Cell::kToken) != 0) ScheduleMine(cell);
  if (cell.bounded() == nullptr) {
    cell.owner.store(worker.tag(), std::memory_order_relaxed);
  }
}

// The same, where the tag may be the current one. False: there is no such actor
// any more.
[[gnu::always_inline]] inline bool CatchUp(Cell& cell, uint64_t id,
                                           Worker& worker) {
  if (!HasId(cell, id)) return false;
  if (cell.IsMine(worker.tag())) return true;
  if (cell.phase == Phase::kZombie) return false;
  CatchUpWithMail(cell, worker);
  return true;
}

// In the seat: tells the owner of a bounded mailbox that its queue is empty no
// more. Without effect if the actor has ended meanwhile: then the queue has
// been emptied, too.
void Ring(Cell& cell, uint64_t id, uint64_t tag) {
  if (SameWorker(cell, tag)) {
    if (CatchUp(cell, id, *this_thread.worker) && !IsExiting(cell)) {
      cell.AddAttention(Cell::kQueued);
      ScheduleMine(cell);
    }
    return;
  }
  // The message has been taken, and the queue asks for no other wake.
  Envelope* const signal = MustHaveMemory(
      "the wake of a mailbox", [] { return MakeEnvelope<MailWaits>(); });
  signal->lane = Lane::kSignal;
  if (PushAsStranger(cell, id, signal, tag, Mailbox::Word::Kind::kSignal) ==
      PushResult::kClosed) {
    DestroyEnvelope(signal);
  }
}

// The queue that a message of the normal lane goes to; null if the actor's
// mailbox has no bounds, or it takes no messages (any more).
BoundedMailbox* QueueFor(Cell& cell, uint64_t id) {
  const Mailbox::Reading reading = cell.Load();
  return HasId(cell, id) && Mailbox::Word::IsOpen(reading) ? cell.bounded()
                                                           : nullptr;
}

// In the seat: what a queue's answer means to the sender.
SendResult Conclude(Cell& cell, uint64_t id, Admission admission,
                    uint64_t tag) {
  switch (admission) {
    case Admission::kMustWake:
      Ring(cell, id, tag);
      return SendResult::kSent;
    case Admission::kEnqueued:
      return SendResult::kSent;
    case Admission::kDropped:
      return SendResult::kDropped;
    case Admission::kFull:
    case Admission::kTooLarge:
      return SendResult::kMailboxFull;
    case Admission::kClosed:
    case Admission::kWaiting:
      break;
  }
  return WhyRefused(cell, id);
}

[[gnu::noinline]] void SendRequestAsStranger(Cell& cell, uint64_t id,
                                             Ending request,
                                             const ExitReason& reason) {
  Envelope* const signal = MakeEnvelope<EndRequest>(request, reason);
  if (!SendSignal(cell, id, signal, KindOf(request))) {
    DestroyEnvelope(signal);  // It has ended already.
  }
}

// Outside the seat: what had to go for another message.
void MournDropped(Cell& cell, uint64_t id, EnvelopeList dropped) {
  while (EnvelopePtr envelope = dropped.Pop()) {
    BecomeDeadLetter(cell, id, envelope.release(), SendResult::kMailboxFull);
  }
}

}  // namespace

Cell& NoCell() {
  static Cell* const cell = new Cell;
  return *cell;
}

SendResult SendSlow(Cell& cell, uint64_t id, Envelope* envelope, uint64_t tag) {
  tag = Settled(tag);
  if (envelope->lane == Lane::kNormal || envelope->lane == Lane::kAside) {
    BoundedMailbox* const bounded = QueueFor(cell, id);
    if (bounded != nullptr && IsOfSource(*envelope)) {
      // Beside the queue, whose bounds are for others.
      SharedContentOf(*envelope).place =
          static_cast<uint32_t>(bounded->queue.entered());
    } else if (bounded != nullptr) {
      EnvelopeList dropped;
      envelope->target = static_cast<uint32_t>(id);
      const Admission admission = bounded->queue.Push(envelope, dropped);
      const SendResult result = Conclude(cell, id, admission, tag);
      LeaveSeat();
      MournDropped(cell, id, std::move(dropped));
      return result;
    }
  }
  SendResult result = SendResult::kSent;
  if (SameWorker(cell, tag)) {
    if (!CatchUp(cell, id, *this_thread.worker)) {
      result = SendResult::kNoActor;
    } else if (!cell.LooksOpen()) {
      result = WhyRefused(cell, id);
    } else {
      if (envelope->lane == Lane::kAside) {
        AdmitAside(cell, envelope);
      } else {
        cell.AppendToLane(envelope);
      }
      ScheduleMine(cell);
    }
  } else {
    result = PushMessage(cell, id, envelope, tag);
  }
  LeaveSeat();
  return result;
}

void SendControlSlowly(Cell& cell, uint64_t id, Envelope* envelope,
                       uint64_t tag) {
  tag = Settled(tag);
  bool taken = true;
  if (SameWorker(cell, tag)) {
    taken = CatchUp(cell, id, *this_thread.worker);
    if (taken) {
      cell.AppendToLane(envelope);
      ScheduleMine(cell);
    }
  } else {
    taken = PushAsStranger(cell, id, envelope, tag,
                           Mailbox::Word::Kind::kSignal) != PushResult::kClosed;
  }
  LeaveSeat();
  // Nobody waits for it any more.
  if (!taken) DestroyEnvelope(envelope);
}

void PushControl(Cell& cell, uint64_t id, Envelope* envelope) {
  envelope->lane = Lane::kUrgent;
  // Whether this thread is in its seat or not, it acts as one without: nothing
  // orders what is pushed here with what is sent.
  if (PushAsStranger(cell, id, envelope, OwnerTag::kNoSeat,
                     Mailbox::Word::Kind::kSignal) == PushResult::kClosed) {
    DestroyEnvelope(envelope);
  }
}

Reach ReachFromSeat(Cell& cell, uint64_t id, uint64_t tag) {
  if (!SameWorker(cell, tag)) return Reach::kElsewhere;
  return CatchUp(cell, id, *this_thread.worker) ? Reach::kHere : Reach::kGone;
}

void PushSignalFromSeat(Cell& cell, uint64_t id, Envelope* envelope,
                        uint64_t tag) {
  envelope->lane = Lane::kSignal;
  if (PushAsStranger(cell, id, envelope, tag, Mailbox::Word::Kind::kSignal) ==
      PushResult::kClosed) {
    DestroyEnvelope(envelope);
  }
}

void PushSignal(Cell& cell, uint64_t id, Envelope* envelope) {
  PushSignalFromSeat(cell, id, envelope, OwnerTag::kNoSeat);
}

void SendBehindAll(Cell& cell, uint64_t id, Envelope* envelope) {
  const uint64_t tag = EnterSeat();
  SendResult result = SendResult::kSent;
  if (QueueFor(cell, id) != nullptr) {
    result = SendSlow(cell, id, envelope, tag);  // Leaves the seat.
  } else {
    result = PushMessage(cell, id, envelope, tag);
    LeaveSeat();
  }
  if (IsRefused(result)) BecomeDeadLetter(cell, id, envelope, result);
}

SendResult PushBehindAll(Cell& cell, uint64_t id, Envelope* envelope) {
  envelope->lane = Lane::kUrgent;
  return PushMessage(cell, id, envelope, OwnerTag::kNoSeat);
}

bool PushSignalIfOpen(Cell& cell, uint64_t id, Envelope* envelope) {
  envelope->lane = Lane::kSignal;
  return PushAsStranger(cell, id, envelope, OwnerTag::kNoSeat,
                        Mailbox::Word::Kind::kMessage) != PushResult::kClosed;
}

SendResult TrySendInLane(Cell& cell, uint64_t id, Envelope* envelope) {
  return SendSlow(cell, id, envelope, EnterSeat());
}

void SendInLane(Cell& cell, uint64_t id, Envelope* envelope) {
  const SendResult result = TrySendInLane(cell, id, envelope);
  if (IsRefused(result)) BecomeDeadLetter(cell, id, envelope, result);
}

BoundedQueue* TrySendOrWait(Cell& cell, uint64_t id, Envelope* envelope,
                            BoundedQueue::Waiter& waiter, SendResult& result) {
  if (FarCell* const far = FarCell::Of(&cell)) {
    return far->TakeOrWait(envelope, waiter, result);
  }
  const uint64_t tag = EnterSeat();
  BoundedMailbox* const bounded = QueueFor(cell, id);
  if (bounded == nullptr) {
    result = SendSlow(cell, id, envelope, tag);
    return nullptr;
  }
  EnvelopeList dropped;
  envelope->target = static_cast<uint32_t>(id);
  const Admission admission =
      bounded->queue.PushOrWait(envelope, waiter, dropped);
  if (admission == Admission::kWaiting) {
    LeaveSeat();
    return &bounded->queue;
  }
  result = Conclude(cell, id, admission, tag);
  LeaveSeat();
  MournDropped(cell, id, std::move(dropped));
  return nullptr;
}

void BecomeDeadLetter(Cell&, uint64_t id, Envelope* envelope,
                      SendResult result) {
  const DeadLetter::Reason reason =
      result == SendResult::kStopped       ? DeadLetter::Reason::kStopped
      : result == SendResult::kUnreachable ? DeadLetter::Reason::kUnreachable
      : result == SendResult::kMailboxFull ? DeadLetter::Reason::kMailboxFull
                                           : DeadLetter::Reason::kNoActor;
  if (IsRequest(*envelope)) {
    FailRequest(*envelope, CallRefused({ActorId(id), envelope->type}, result));
  }
  // A system that is gone hears of nothing.
  if (const std::shared_ptr<SystemCore> system = IdSpace::Find(id)) {
    system->MournMessage(ActorId(id), reason, *envelope);
  }
  DestroyEnvelope(envelope);
}

bool LookForKill(Cell& cell) {
  // With the seat lost, the mail is the worker's to take; it leaves it there
  // for as long as this turn lasts.
  if (cell.LooksUrgent()) return true;
  const uint64_t tag = EnterSeat();
  if (SameWorker(cell, tag) && cell.HasMail()) {
    MustHaveMemory("what an actor was sent",
                   [&] { DrainMail(cell, *this_thread.worker); });
  }
  LeaveSeat();
  // Relaxed: a look that comes too early is followed by another.
  return cell.status.load(std::memory_order_relaxed) == ActorStatus::kStopping;
}

void SendRequest(Cell& cell, uint64_t id, Ending request,
                 const ExitReason& reason) {
  const uint64_t tag = EnterSeat();
  if (!SameWorker(cell, tag)) [[unlikely]] {
    LeaveSeat();
    return SendRequestAsStranger(cell, id, request, reason);
  }
  if (CatchUp(cell, id, *this_thread.worker)) {
    ApplyRequest(cell, request, reason);
    ScheduleMine(cell);
  }
  LeaveSeat();
}

bool SendSignal(Cell& cell, uint64_t id, Envelope* envelope,
                Mailbox::Word::Kind kind) {
  envelope->lane = Lane::kSignal;
  const uint64_t tag = EnterSeat();
  const PushResult result = PushAsStranger(cell, id, envelope, tag, kind);
  LeaveSeat();
  return result != PushResult::kClosed;
}

}  // namespace troupe::internal
