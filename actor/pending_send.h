// A PendingSend is a message on its way to an actor whose mailbox may be full:
// what ActorRef::SendWhenReady() returns. It does nothing until it is waited
// for.
//
//   absl::Status sent =
//       printer.SendWhenReady<Page>(text).Within(absl::Seconds(1)).Wait();
//
// Order: senders that wait for the same mailbox are served first come, first
// served, and before all that comes later.
// Ownership: it holds the message. One that is dropped, or that could not be
// sent, destroys it; the sender has been told, so it is no dead letter.
// Blocking: Wait() blocks a plain thread; on an executor without threads it
// plays steps.
// Thread safety: none; it may be waited for on another thread than the one that
// made it.
#ifndef TROUPE_ACTOR_PENDING_SEND_H_
#define TROUPE_ACTOR_PENDING_SEND_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {

class [[nodiscard]] PendingSend {
 public:
  // How long a wait for space lasts, unless it is told otherwise.
  static constexpr absl::Duration kDefaultTimeout = absl::Seconds(5);

  PendingSend(AnyActorRef target, EnvelopePtr envelope)
      : target_(target), envelope_(std::move(envelope)) {}

  PendingSend&& Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return std::move(*this);
  }

  // Sends the message, after waiting for space if need be.
  //
  // kNotFound: there is no such actor any more. kAborted: it takes no more
  // messages; also if it stopped or drained meanwhile. kResourceExhausted: its
  // policy for a full mailbox is not to wait, or the message is larger than
  // the mailbox. kDeadlineExceeded: there was no space in time.
  // kFailedPrecondition: called in a handler, which must not block.
  absl::Status Wait() &&;

 private:
  AnyActorRef target_;
  EnvelopePtr envelope_;
  absl::Duration timeout_ = kDefaultTimeout;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_PENDING_SEND_H_
