// Links: two actors that end together, unless one of them traps the other's
// end by the hook `OnExit(const Exit&)`.
//
//   void PreStart() { Link(session); }
//   void OnExit(const Exit& exit) { Log(exit.actor, exit.reason); }
//
// Two-way: either of the two may have made the link, and either may end it.
// With the hook an actor is told of every end, and lives on. Without it:
//
//   the other ended by            | then this actor
//   ------------------------------+----------------------------------------
//   normal, drained               | lives on
//   shutdown                      | stops, with that reason
//   killed, failed, no such actor | fails, with a status that names the other
//   no connection with its node   | fails, with a status that names the other
//
// Order: as that of a Down (down.h): an Exit is the last message of the actor
// that has ended.
#ifndef TROUPE_ACTOR_EXIT_H_
#define TROUPE_ACTOR_EXIT_H_

#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"

namespace troupe {

struct Exit {
  AnyActorRef actor;  // Gone; no longer linked.
  ExitReason reason;  // kNoActor: it had ended before it heard of the link.
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_EXIT_H_
