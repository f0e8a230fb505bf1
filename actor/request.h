// What a handler can know of a request beside its message, as an optional
// second parameter:
//
//   absl::StatusOr<Rows> Handle(const Query& query, troupe::Request& request) {
//     if (request.time_left() < absl::Milliseconds(5)) {
//       return absl::DeadlineExceededError("not enough time for a query");
//     }
//     ...
//   }
//
// Ownership: the runtime's, until the handler, coroutine or not, has ended.
// Thread safety: belongs to the handler.
#ifndef TROUPE_ACTOR_REQUEST_H_
#define TROUPE_ACTOR_REQUEST_H_

#include <memory>

#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/stop_token.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe {

class Request : private internal::RequestInfo {
 public:
  // One that nobody waits for: for tests that call a handler themselves.
  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  // When the caller stops waiting, by the clock of the system's executor; in
  // the infinite future for a request that was sent, not called.
  MonotonicTime deadline() const { return RequestInfo::deadline; }
  // How long that is from now; not negative.
  absl::Duration time_left() const;

  // The actor that calls; null if a plain thread does, or nobody.
  AnyActorRef caller() const;

  StopToken stop_token() const { return StopToken(*this); }

  // For the runtime: makes and finds the one behind a message.
  static void PutBehind(Envelope& envelope) {
    std::construct_at(static_cast<Request*>(envelope.trailer()));
    envelope.tag |= internal::kRequestTag;
  }
  template <typename M>
  static Request& Of(Envelope& envelope) {
    return static_cast<Request&>(internal::InfoOf<M>(envelope));
  }
};
static_assert(sizeof(Request) == sizeof(internal::RequestInfo));

}  // namespace troupe

#endif  // TROUPE_ACTOR_REQUEST_H_
