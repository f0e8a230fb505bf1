#include "troupe/actor/internal/end_observers.h"

#include <algorithm>
#include <utility>

#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/user_code.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

bool ObserveEnd(const AnyActorRef& actor, EndObserver& observer) {
  if (actor.IsNull()) return false;
  Cell& cell = *actor.cell();
  const uint64_t id = actor.id().value();
  {
    const InSeat seat;
    switch (ReachFromSeat(cell, id, seat.tag)) {
      case Reach::kHere:
        if (!cell.LooksOpen()) return false;
        AddEndObserver(cell, observer);
        return true;
      case Reach::kElsewhere:
        break;
      case Reach::kGone:
        return false;
    }
  }
  EnvelopePtr signal(MakeEnvelope<BeginObservingEnd>(&observer));
  // As a message: refused once the mailbox is shut.
  if (!SendSignal(cell, id, signal.get(), Mailbox::Word::Kind::kMessage)) {
    return false;
  }
  (void)signal.release();
  return true;
}

void AddEndObserver(Cell& cell, EndObserver& observer) {
  EndObservers& observers = cell.Extras().end_observers;
  if (std::find(observers.begin(), observers.end(), &observer) ==
      observers.end()) {
    observers.push_back(&observer);
  }
}

EndObservers TakeEndObservers(Cell& cell) {
  return cell.extras != nullptr
             ? std::exchange(cell.extras->end_observers, EndObservers())
             : EndObservers();
}

}  // namespace troupe::internal
