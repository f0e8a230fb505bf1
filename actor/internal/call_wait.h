// A call under way: the part that does not depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
#define TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/deadlock.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/send_result.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// How long a call waits, in nanoseconds.
class CallTimeout {
 public:
  // As the system says.
  CallTimeout() = default;
  explicit CallTimeout(absl::Duration duration)
      : nanoseconds_(std::max(absl::ToInt64Nanoseconds(duration), int64_t{0})) {
  }

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
  int64_t In(const SystemCore& system) const {
    if (nanoseconds_ < 0) [[likely]]
      return system.limits().call_timeout_ns;
    return nanoseconds_;
  }

  int64_t nanoseconds_ = -1;  // Negative: as the system says.
};

// A call that has not begun: of whom, with what, for how long.
struct CallPlan {
  CallName name() const { return {ActorId(id), request->type}; }

  Cell* target = nullptr;
  uint64_t id = 0;
  EnvelopePtr request;  // Null once it is on its way.
  CallTimeout timeout;
};

inline const absl::Status& StatusIn(const absl::Status& outcome) {
  return outcome;
}
template <typename T>
const absl::Status& StatusIn(const absl::StatusOr<T>& outcome) {
  return outcome.status();
}

// What a reply envelope says.
template <typename Outcome>
Outcome OutcomeIn(EnvelopePtr reply) {
  if ((reply->tag & kFailureTag) != 0) [[unlikely]] {
    return std::move(reply->As<absl::Status>());
  }
  return std::move(reply->As<Outcome>());
}

// The same, where it is not what OutcomeIn<M>() expects.
template <typename Outcome>
[[gnu::noinline]] Outcome RareOutcomeIn(Envelope* reply) {
  return OutcomeIn<Outcome>(EnvelopePtr(reply));
}

// What the reply envelope of a call of M says.
template <typename M, typename Outcome>
[[gnu::always_inline]] inline Outcome OutcomeIn(EnvelopePtr envelope) {
  // Mostly what the handler returned. One look: they lie side by side.
  constexpr uint8_t kClass = kReplyClass<M, Outcome>;
  Envelope* const reply = envelope.release();
  if (reply->lane != Lane::kUrgent || reply->size_class != kClass ||
      reply->tag != kReplyTag) [[unlikely]] {
    return RareOutcomeIn<Outcome>(reply);
  }
  Outcome& outcome = reply->template As<Outcome>();
  if (!outcome.ok()) [[unlikely]]
    return RareOutcomeIn<Outcome>(reply);
  if constexpr (std::is_same_v<Outcome, absl::Status>) {
    EnvelopePool::Free(reply, kClass);
    return absl::OkStatus();
  } else {
    // An OK status holds nothing to be destroyed: the value is all.
    using T = typename Outcome::value_type;
    struct Disposer {
      ~Disposer() {
        std::destroy_at(&value);
        EnvelopePool::Free(reply, kClass);
      }
      T& value;
      Envelope* const reply;
    } const disposer{*outcome, reply};
    return Outcome(std::move(disposer.value));
  }
}

// As HandleReply(), whoever waits.
void HandleRareReply(HandlerState& handler, Envelope* reply);

// Waits for the answer in a coroutine; lives in its frame, as the plan does.
class CallWait : public Wait, public AwaitedCall {
 public:
  CallWait(const CallWait&) = delete;
  CallWait& operator=(const CallWait&) = delete;

  bool await_ready() const noexcept { return false; }

  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;
  std::optional<WaitedCall> ItsCall() const override;

 protected:
  explicit CallWait(CallPlan& plan) : plan_(plan) {}
  ~CallWait() {
    if (HasBegun()) [[unlikely]]
      Drop();
  }

  // Makes the call, whose request has this behind it. False: it is over
  // already.
  bool Suspend(std::coroutine_handle<> waiting, RequestInfo& info);
  // REQUIRES: the call has not begun.
  Envelope& request() { return *plan_.request; }
  // REQUIRES: the call is over.
  EnvelopePtr TakeReply() { return EnvelopePtr(reply_); }

 private:
  friend void HandleReply(HandlerState& handler, Envelope* reply);
  friend void HandleRareReply(HandlerState& handler, Envelope* reply);

  void SetReply(Envelope* reply) {
    reply_ = reply;
    Resume();
  }
  // The ways of Suspend() that are rarer. First, if the handler is not kept, or
  // its worker has to be asked for the time.
  bool SuspendSlowly(std::coroutine_handle<> waiting, RequestInfo& info);
  bool SuspendAt(MonotonicTime now, RootTask& root,
                 std::coroutine_handle<> waiting, RequestInfo& info);
  // If another call of the actor waits, or this one is refused.
  bool SuspendBeside(RootTask& root, std::coroutine_handle<> waiting,
                     RequestInfo& info);
  // Sends the request of a call that has begun, whatever way it goes. In the
  // seat with `tag`, settled or not.
  bool SendSlowly(std::coroutine_handle<> waiting, Envelope* request,
                  uint64_t tag);

  virtual const MessageType* request_type() const = 0;
  CallName name() const { return {ActorId(plan_.id), request_type()}; }
  // The call is over by a failure.
  void Fail(absl::Status why);
  // The same, before it has begun; for Suspend() to return.
  bool Refuse(std::coroutine_handle<> waiting, absl::Status why);
  bool RefuseOutsideActor(std::coroutine_handle<> waiting);
  // The same, after it has begun: its request could not be sent.
  bool TakeBack(std::coroutine_handle<> waiting, Envelope* request,
                SendResult sent);
  // Ends a call whose answer may still come: nobody waits for it.
  void GiveUp();
  // Its coroutine is destroyed where it is suspended.
  void Drop();

  CallPlan& plan_;  // Without its request, once that is on its way.
  union {
    int64_t deadline_ns_;  // While it waits.
    Envelope* reply_;      // Once it is over.
  };
};

// An answer has come: whoever waits for it goes on. Outside the seat.
inline void HandleReply(HandlerState& handler, Envelope* reply) {
  AwaitedCall* const call = handler.calls().TakeFirstAwaited(NumberOf(*reply));
  if (call == nullptr) [[unlikely]]
    return HandleRareReply(handler, reply);
  static_cast<CallWait*>(call)->SetReply(reply);
}

// Waits for the answer on a plain thread; returns the reply.
EnvelopePtr CallAndBlock(CallPlan plan);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
