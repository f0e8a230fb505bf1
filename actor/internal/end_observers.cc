#include "troupe/actor/internal/end_observers.h"

#include <algorithm>
#include <utility>

#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/send.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

bool ObserveEnd(const AnyActorRef& actor, EndObserver& observer) {
  if (actor.IsNull()) return false;
  EnvelopePtr signal(MakeEnvelope<BeginObservingEnd>(&observer));
  // Never by way of the seat, not even to an actor of this worker's: where that
  // was lost, others would have their turns under the caller's lock.
  if (!PushSignalIfOpen(*actor.cell(), actor.id().value(), signal.get())) {
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
