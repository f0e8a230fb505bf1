#include "troupe/supervision/internal/door.h"

#include <utility>

#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/requests.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/watch_table.h"

namespace troupe::internal {
namespace {

// Whether the caller of a request may have given it up: that was marked while
// it waited in the mailbox, or is remembered.
bool MayBeGivenUp(const Cell& cell, Envelope& envelope) {
  if (!IsRequest(envelope)) return false;
  return InfoOf(envelope).IsCancelled() ||
         (cell.handler != nullptr && cell.handler->has_cancelled());
}

}  // namespace

DoorBase::~DoorBase() {
  while (Envelope* const envelope = waiting_.Pop()) {
    Lose(envelope, SendResult::kNoActor);
  }
}

void DoorBase::Pass(Envelope* envelope) {
  if (MayBeGivenUp(cell(), *envelope) && DropGivenUp(cell(), envelope)) return;
  switch (where_) {
    case Where::kInstance:
      // Behind what waits already, if it does.
      if (waiting_count_ == 0 && Forward(envelope)) return;
      return Keep(envelope);
    case Where::kNowhere:
      return Keep(envelope);
    case Where::kGone:
      return Lose(envelope, SendResult::kNoActor);
  }
}

bool DoorBase::Forward(Envelope* envelope) {
  Cell& target = *instance_.cell();
  const uint64_t id = instance_.id().value();
  const SendResult result = envelope->lane == Lane::kNormal
                                ? TrySendEnvelope(target, id, envelope)
                                : TrySendInLane(target, id, envelope);
  if (result == SendResult::kMailboxFull) {
    BecomeDeadLetter(target, id, envelope, result);
    return true;
  }
  return !IsRefused(result);
}

void DoorBase::Keep(Envelope* envelope) {
  if (waiting_count_ >= most_waiting_) {
    return Lose(envelope, most_waiting_ == 0 ? SendResult::kNoActor
                                             : SendResult::kMailboxFull);
  }
  ++waiting_count_;
  waiting_.Append(envelope);
}

void DoorBase::Lose(Envelope* envelope, SendResult why) {
  const AnyActorRef door = untyped_self();
  BecomeDeadLetter(*door.cell(), door.id().value(), envelope, why);
}

bool DoorBase::DropWaiting(const ReplyRoute& route) {
  bool found = false;
  for (size_t left = waiting_count_; left > 0; --left) {
    Envelope* const envelope = waiting_.Pop();
    if (!found && IsRequest(*envelope) &&
        InfoOf(*envelope).route.IsSame(route)) {
      found = true;
      --waiting_count_;
      InfoOf(*envelope).Cancel();
      (void)DropGivenUp(cell(), envelope);
    } else {
      waiting_.Append(envelope);
    }
  }
  return found;
}

void DoorBase::PassControl(Envelope* envelope) {
  if (HandleLinkControl(cell(), *envelope)) return DestroyEnvelope(envelope);
  if (const CancelRequest* const cancel = envelope->TryAs<CancelRequest>()) {
    if (DropWaiting(cancel->route)) return DestroyEnvelope(envelope);
    // It may have overtaken its request, which is in the mailbox then.
    HandlerState::CancelRequest(cell(), cancel->route);
  }
  if (instance_.IsNull()) return DestroyEnvelope(envelope);
  SendControl(*instance_.cell(), instance_.id().value(), envelope);
}

void DoorBase::LeadTo(const DoorLeadsTo& to) {
  where_ = to.where;
  instance_ = to.instance;
  for (size_t left = waiting_count_; left > 0 && where_ != Where::kNowhere;
       --left) {
    Envelope* const envelope = waiting_.Pop();
    --waiting_count_;
    if (where_ == Where::kGone) {
      Lose(envelope, SendResult::kNoActor);
    } else if (!Forward(envelope)) {
      // This one has ended too: all waits on, in order.
      where_ = Where::kNowhere;
      EnvelopeRing rest = std::exchange(waiting_, EnvelopeRing());
      waiting_.Append(envelope);
      while (Envelope* const next = rest.Pop()) waiting_.Append(next);
      ++waiting_count_;
    }
  }
}

void SetDoor(const AnyActorRef& door, DoorLeadsTo::Where where,
             const AnyActorRef& instance) {
  if (door.IsNull()) return;
  Envelope* const envelope = MakeEnvelope<DoorLeadsTo>(where, instance);
  envelope->lane = Lane::kUrgent;
  const SendResult result =
      TrySendInLane(*door.cell(), door.id().value(), envelope);
  if (IsRefused(result)) DestroyEnvelope(envelope);
}

}  // namespace troupe::internal
