// Waits in a coroutine for an answer that no handler of a request gives: how an
// actor ended, what a foreign thread came to. The base of such awaiters; see
// ended.h for a small one.
#ifndef TROUPE_ACTOR_INTERNAL_ANSWER_WAIT_H_
#define TROUPE_ACTOR_INTERNAL_ANSWER_WAIT_H_

#include <coroutine>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// A wait goes
//
//   Prepare() --> route() is given to who will answer --> Suspend()
//                                                     \-> Settle()
//
// and ends once: by the answer, or given up: at its deadline, because the
// request that is handled was given up, or with its coroutine. An answer that
// comes later is dropped. What throws between Prepare() and Suspend() settles
// it; it must itself undo what it has begun.
class AnswerWait : public Wait, public PendingCall {
 public:
  bool await_ready() const noexcept { return false; }

  void OnReply(EnvelopePtr reply) final;
  void OnDue(HandlerState& state) final;
  void OnCancel(const absl::Status& why) final;

 protected:
  // Gives up after `timeout`, and no later than the deadline of the request
  // that is handled.
  explicit AnswerWait(absl::Duration timeout) : timeout_(timeout) {}
  ~AnswerWait() = default;

  // What is waited for, for texts: "the end of actor #3".
  virtual std::string What() const = 0;
  // The wait is over without an answer: undoes what was begun.
  virtual void OnGiveUp() = 0;
  // For destructors of those that implement it: if the wait is not over, it is
  // given up.
  void Drop() {
    if (is_waiting()) {
      GiveUp();
    } else if (is_listed_) {
      Settle();
    }
  }

  // False: it may not begin; error() says why.
  [[nodiscard]] bool Prepare();
  // Whether the deadline had passed by then.
  bool IsLate() const { return deadline_ <= began_; }
  // Leads here. REQUIRES: prepared.
  ReplyRoute route() const {
    return ReplyRoute::To(*caller_, caller_->CurrentId(), number());
  }
  // The actor that waits. REQUIRES: prepared.
  Cell& caller() const { return *caller_; }
  // Prepared in vain: the answer is there already, or will not be needed.
  void Settle();
  void SettleLate();
  void Suspend(std::coroutine_handle<> waiting);

  // Null if none came: then error() says why.
  EnvelopePtr& reply() { return reply_; }
  absl::Status& error() { return error_; }

 private:
  void GiveUp();

  const absl::Duration timeout_;
  bool is_listed_ = false;  // The table of calls leads here.
  Cell* caller_ = nullptr;
  MonotonicTime began_;
  MonotonicTime deadline_;
  EnvelopePtr reply_;
  absl::Status error_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_ANSWER_WAIT_H_
