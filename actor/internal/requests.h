// What becomes of the requests that an actor gets, where its handler does not
// answer them. Outside the seat.
#ifndef TROUPE_ACTOR_INTERNAL_REQUESTS_H_
#define TROUPE_ACTOR_INTERNAL_REQUESTS_H_

#include "absl/status/status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// As DropIfGivenUp(), for one that may have to be dropped.
[[nodiscard]] bool DropGivenUp(Cell& cell, Envelope* request);

// Whether nobody waits for the request any more, before its handler has seen
// it: its deadline has passed, or its caller has given it up. Then it becomes a
// dead letter.
[[nodiscard]] inline bool DropIfGivenUp(Cell& cell, Envelope* request,
                                        const RequestInfo& info) {
  const bool may_be_cancelled =
      cell.handler != nullptr && cell.handler->has_cancelled();
  if (!may_be_cancelled && info.deadline > TimeOfOwnTurn()) [[likely]] {
    return false;
  }
  return DropGivenUp(cell, request);
}

// The actor ended after its handler had begun.
void AbortRequest(Cell& cell, Envelope& envelope, const ExitReason& reason);

// Its handler threw: that fails the actor, and aborts the call. The envelope is
// destroyed.
void FailHandler(Cell& cell, Envelope* envelope, absl::Status thrown);

// Does what the runtime's own messages in the urgent lane say.
void HandleControl(Cell& cell, Envelope* envelope);

// Makes dead letters of a chain of messages that wait in an actor that ends.
void Mourn(Cell& cell, Envelope* undelivered, const ExitReason& reason);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_REQUESTS_H_
