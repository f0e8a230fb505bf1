// Who hears of an actor's end first.
//
// An observer comes as a signal that is refused, as messages are, once the
// mailbox is shut. The end begins with shutting it, and with what was pushed
// before; so an observer is refused or called, and there is no third case.
//
// Thread safety: an actor's EndObservers belong to the worker that owns it.
#ifndef TROUPE_ACTOR_INTERNAL_END_OBSERVERS_H_
#define TROUPE_ACTOR_INTERNAL_END_OBSERVERS_H_

#include "absl/container/inlined_vector.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/end_observer.h"
#include "troupe/actor/internal/cell.h"

namespace troupe::internal {

// In the order in which they are called. Mostly names, and perhaps groups.
using EndObservers = absl::InlinedVector<EndObserver*, 2>;

// A signal.
struct BeginObservingEnd {
  EndObserver* observer;
};

// Has `observer` called, once, when the actor has ended. False: it is ending,
// or has ended, and the observer will not hear of it. Any thread, outside the
// seat, and under locks that OnActorEnd() takes.
[[nodiscard]] bool ObserveEnd(const AnyActorRef& actor, EndObserver& observer);

// By the owner, in the seat.
void AddEndObserver(Cell& cell, EndObserver& observer);
// Those of an actor that takes no more.
EndObservers TakeEndObservers(Cell& cell);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_END_OBSERVERS_H_
