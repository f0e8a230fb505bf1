// Finding actors that wait for each other in a circle.
//
// A call that has waited for ActorSystem::Options::deadlock_check_after sends a
// probe to its callee. An actor that gets one, and whose handler is suspended
// in a call itself while the request that the probe is about waits for that
// handler, sends it on to its own callee. A probe that comes back to where it
// started has found a circle: each call in it fails, with a status that names
// all. K. Chandy, J. Misra and L. Haas, "Distributed Deadlock Detection", ACM
// TOCS 1(2), 1983, for one resource at a time.
//
// A handler that waits for several things at once may go on with any of them:
// it ends the search. Such circles end by their deadlines.
#ifndef TROUPE_ACTOR_INTERNAL_DEADLOCK_H_
#define TROUPE_ACTOR_INTERNAL_DEADLOCK_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

// A call that an actor's handler waits for, and nothing else.
struct WaitedCall {
  Cell* target;
  uint64_t target_id;
  const MessageType* request;
  uint64_t number;
};

struct DeadlockProbe {
  struct Step {
    ReplyRoute call;  // Of the caller.
    std::string_view class_name;
    const MessageType* request;
  };
  // From the call that has waited for long on; the last one is about the
  // request that the receiver of the probe has got.
  std::vector<Step> path;
};

// Begins the search: for a call of `caller` that has waited for long. Outside
// the seat.
void LookForDeadlock(Cell& caller, const WaitedCall& call);

// Goes on with it, or ends it. Outside the seat.
void FollowProbe(Cell& cell, DeadlockProbe& probe);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_DEADLOCK_H_
