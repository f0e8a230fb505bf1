// A StopToken tells the handler of a request that nobody waits for its answer
// any more, or that its actor was killed: long work may end early.
//
//   for (const Row& row : rows) {
//     if (request.stop_token().stop_requested()) break;
//     ...
//   }
//
// It fires when the caller dies, cancels its call or was told to give up by its
// own caller, when the deadline passes, and when the actor is killed; not when
// the actor is asked to stop gracefully: the request that is handled is
// answered.
//
// A handler learns of all of these between its co_awaits. One that runs without
// any learns of the caller's death, of the deadline and of the kill, but not of
// a caller that lives on and has given up: that waits in the mailbox.
//
// A coroutine that awaits something need not look: what it awaits ends early,
// with kCancelled or kDeadlineExceeded. One that has nothing else to wait for
// awaits Stopped(token), see stopped.h.
//
// Ownership: none; bound to its request. REQUIRES: its handler has not ended.
// Thread safety: belongs to the handler.
// Blocking: no call blocks. A look costs some 30 ns.
#ifndef TROUPE_ACTOR_STOP_TOKEN_H_
#define TROUPE_ACTOR_STOP_TOKEN_H_

namespace troupe {

namespace internal {
struct RequestInfo;
}  // namespace internal

class StopToken {
 public:
  bool stop_requested() const;

  // For the runtime.
  explicit StopToken(const internal::RequestInfo& request)
      : request_(&request) {}
  bool IsOf(const internal::RequestInfo& request) const {
    return request_ == &request;
  }

 private:
  const internal::RequestInfo* request_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_STOP_TOKEN_H_
