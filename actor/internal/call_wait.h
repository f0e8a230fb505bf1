// A call under way: the part that does not depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
#define TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_

#include <coroutine>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

class SystemCore;

// A call that has not begun: of whom, with what, for how long.
struct CallPlan {
  // Stands for what the system says.
  static constexpr absl::Duration kDefaultTimeout = -absl::InfiniteDuration();

  CallName name() const { return {ActorId(id), request->type}; }

  Cell* target = nullptr;
  uint64_t id = 0;
  EnvelopePtr request;
  absl::Duration timeout = kDefaultTimeout;
};

// What a call came to: a reply envelope, or else an error of the runtime's.
struct CallResult {
  EnvelopePtr reply;
  absl::Status error;
};

// The outcome of a call. REQUIRES: it is over.
template <typename Outcome>
Outcome OutcomeOfCall(CallResult result) {
  if (result.reply == nullptr) [[unlikely]]
    return std::move(result.error);
  if ((result.reply->tag & kFailureTag) != 0) [[unlikely]] {
    return std::move(result.reply->As<absl::Status>());
  }
  return std::move(result.reply->As<Outcome>());
}

// Waits for the answer in a coroutine; lives in its frame.
class CallWait : public Wait, public PendingCall {
 public:
  explicit CallWait(CallPlan plan) : plan_(std::move(plan)) {}
  ~CallWait();

  bool await_ready() const noexcept { return false; }
  // False: the call is over already.
  bool await_suspend(std::coroutine_handle<> waiting) { return Call(waiting); }

  void OnReply(EnvelopePtr reply) override;
  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;

 protected:
  CallResult TakeResult() { return std::move(result_); }

 private:
  bool Call(std::coroutine_handle<> waiting);
  // Ends a call whose answer may still come: nobody waits for it.
  void GiveUp();

  CallPlan plan_;
  const MessageType* request_type_ = nullptr;
  uint64_t number_ = 0;
  MonotonicTime began_;
  CallResult result_;
};

// Waits for the answer on a plain thread.
CallResult CallAndBlock(CallPlan plan);

// The deadline of a call that is made now: no later than that of the request
// which is handled now, if there is one.
MonotonicTime DeadlineFor(absl::Duration timeout, MonotonicTime now,
                          const SystemCore& system);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
