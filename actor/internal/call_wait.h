// A call under way: the part that does not depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
#define TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/deadlock.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

class SystemCore;

// How long a call waits, in nanoseconds.
class CallTimeout {
 public:
  // As the system says.
  CallTimeout() = default;
  explicit CallTimeout(absl::Duration duration)
      : nanoseconds_(
            std::max(absl::ToInt64Nanoseconds(duration), kDefault + 1)) {}

  absl::Duration Length(const SystemCore& system) const {
    return absl::Nanoseconds(In(system));
  }
  // When a call that begins now ends; not after `limit`.
  MonotonicTime DeadlineFrom(MonotonicTime now, const SystemCore& system,
                             MonotonicTime limit) const {
    int64_t deadline;
    if (__builtin_add_overflow(now.ToNanoseconds(), In(system), &deadline)) {
      deadline = std::numeric_limits<int64_t>::max();
    }
    return std::min(MonotonicTime::FromNanoseconds(deadline), limit);
  }

 private:
  static constexpr int64_t kDefault = std::numeric_limits<int64_t>::min();
  int64_t In(const SystemCore& system) const {
    return nanoseconds_ != kDefault ? nanoseconds_ : DefaultOf(system);
  }
  static int64_t DefaultOf(const SystemCore& system);

  int64_t nanoseconds_ = kDefault;
};

// A call that has not begun: of whom, with what, for how long.
struct CallPlan {
  CallName name() const { return {ActorId(id), request->type}; }

  Cell* target = nullptr;
  uint64_t id = 0;
  EnvelopePtr request;
  CallTimeout timeout;
};

// What the reply envelope of a call says.
template <typename Outcome>
Outcome OutcomeIn(EnvelopePtr reply) {
  if ((reply->tag & kFailureTag) != 0) [[unlikely]] {
    return std::move(reply->As<absl::Status>());
  }
  return std::move(reply->As<Outcome>());
}

// Waits for the answer in a coroutine; lives in its frame.
class CallWait : public Wait, public PendingCall {
 public:
  explicit CallWait(CallPlan plan)
      : target_(plan.target),
        id_(plan.id),
        timeout_(plan.timeout),
        envelope_(std::move(plan.request)) {}
  ~CallWait() {
    if (is_waiting()) [[unlikely]]
      GiveUp();
  }

  bool await_ready() const noexcept { return false; }
  // False: the call is over already.
  bool await_suspend(std::coroutine_handle<> waiting);

  void OnReply(EnvelopePtr reply) override {
    envelope_ = std::move(reply);
    Resume();
  }
  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;
  std::optional<WaitedCall> ItsCall() const override;

 protected:
  // REQUIRES: the call is over.
  EnvelopePtr TakeReply() { return std::move(envelope_); }

 private:
  CallName name() const { return {ActorId(id_), type_}; }
  // The call is over before it has begun.
  bool Refuse(absl::Status why);
  // Ends a call whose answer may still come: nobody waits for it.
  void GiveUp();

  Cell* const target_;
  const uint64_t id_;
  const CallTimeout timeout_;
  EnvelopePtr envelope_;               // The request, then the reply.
  const MessageType* type_ = nullptr;  // Of the request.
  uint64_t number_ = 0;
  MonotonicTime deadline_;
};

// Waits for the answer on a plain thread; returns the reply.
EnvelopePtr CallAndBlock(CallPlan plan);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
