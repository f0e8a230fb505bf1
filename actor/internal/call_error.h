// What a caller hears when its request is not answered: canonical codes, whom
// and what it is about, and whether it can have run (delivery.h).
#ifndef TROUPE_ACTOR_INTERNAL_CALL_ERROR_H_
#define TROUPE_ACTOR_INTERNAL_CALL_ERROR_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/send_result.h"
#include "troupe/mailbox/message_type.h"

namespace troupe::internal {

// The call of one actor with one message, for the texts.
struct CallName {
  ActorId target;
  const MessageType* request;
};

// The mailbox did not take it: kNotFound, kAborted or kResourceExhausted.
absl::Status CallRefused(const CallName& call, SendResult result);
// The actor ended before it answered; `delivered` says whether a handler had
// begun.
absl::Status CallAborted(const CallName& call, const ExitReason& reason,
                         bool delivered);
// The deadline had passed when the call was made.
absl::Status CallTooLate(const CallName& call);
// It passed while the answer was awaited.
absl::Status CallTimedOut(const CallName& call, absl::Duration waited);
// The same, for the deadline of the request that the caller handles.
absl::Status CallerTimedOut(const CallName& call);
// It passed while the request waited for its handler; `delivered`: a second
// time, after that one had set it aside.
absl::Status CallExpired(const CallName& call, bool delivered);
// The handler dropped its duty to answer.
absl::Status CallDropped(const CallName& call);
// Whoever called was told to give up; `begun`: the request had been sent.
absl::Status CallCancelled(const CallName& call, bool begun);
absl::Status CallOfSelf(const CallName& call);
// A plain thread waits for actors of several systems at once.
absl::Status CallOfOtherSystem(const CallName& call);
absl::Status CallOutsideActor(const CallName& call);
absl::Status ForwardOutsideActor(const CallName& call);
absl::Status WaitInHandler(const CallName& call);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_ERROR_H_
