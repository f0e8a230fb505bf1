// Asking an actor how it ends.
#ifndef TROUPE_ACTOR_INTERNAL_END_QUESTION_H_
#define TROUPE_ACTOR_INTERNAL_END_QUESTION_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Has the ExitReason sent to `route` when the actor has ended. False: there is
// no such actor (any more); that has been answered, too. Outside the seat.
// `next`: see AwaitEnd.
[[nodiscard]] bool AskForEnd(const AnyActorRef& actor, const ReplyRoute& route,
                             Ending next = Ending::kNone);

// What an answer says. Not OK: the node of the actor refuses it.
inline absl::StatusOr<ExitReason> TakeEnd(Envelope& answer) {
  if ((answer.tag & kFailureTag) != 0) return answer.As<absl::Status>();
  return std::move(answer.As<ExitReason>());
}

// The answer if there is none.
inline ExitReason WhyGone(const AnyActorRef& actor) {
  return actor.IsRemote() ? ExitReason::NoConnection() : ExitReason::NoActor();
}

// Who asked waits no more: answers at once, so that questions which are given
// up do not pile up. `next` is what AskForEnd() was told.
void AskForEndNoMore(const AnyActorRef& actor, const ReplyRoute& route,
                     Ending next = Ending::kNone);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_END_QUESTION_H_
