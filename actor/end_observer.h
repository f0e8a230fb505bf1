// Tells a service of the end of actors before anybody else hears of it: so that
// it can forget them, and nobody who has been told of an end finds the actor
// there. What registers actors under names or in groups is built on it.
//
//   absl::Status Directory::Add(const AnyActorRef& actor) {
//     absl::MutexLock lock(&mu_);
//     absl::Status status = system_.ObserveEnd(actor, *this);
//     if (status.ok()) actors_.insert(actor);
//     return status;
//   }
//   void Directory::OnActorEnd(const AnyActorRef& actor) {
//     absl::MutexLock lock(&mu_);
//     actors_.erase(actor);
//   }
//
// Order: an actor's observers are called once each, in the order in which they
// asked, when its object has been destroyed: before the event ActorEnded, those
// who monitor it or are linked to it, its parent, and whoever waits.
// Ownership: none; an observer outlives all actors of the system (an extension
// does).
// Blocking: the actor's worker waits for the observer, which must be brief.
// Thread safety: OnActorEnd() is called from several threads at once, for
// different actors.
#ifndef TROUPE_ACTOR_END_OBSERVER_H_
#define TROUPE_ACTOR_END_OBSERVER_H_

#include "troupe/actor/any_actor_ref.h"

namespace troupe {

class EndObserver {
 public:
  virtual ~EndObserver() = default;

  // `actor` has ended, and nobody knows. Must not throw.
  virtual void OnActorEnd(const AnyActorRef& actor) = 0;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_END_OBSERVER_H_
