// A call under way: the part that does not depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
#define TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_

#include <algorithm>
#include <coroutine>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
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

// What the reply envelope of a call of M says.
template <typename M, typename Outcome>
Outcome OutcomeIn(EnvelopePtr reply) {
  if ((reply->tag & kFailureTag) != 0) [[unlikely]] {
    return std::move(reply->As<absl::Status>());
  }
  // Its type is known, and mostly the size of its memory: the request's.
  struct Disposer {
    ~Disposer() {
      constexpr uint8_t kClass = kEnvelopeClass<M, sizeof(RequestInfo)>;
      std::destroy_at(&reply->template As<Outcome>());
      if (reply->size_class == kClass) [[likely]] {
        EnvelopePool::Free(reply, kClass);
      } else {
        FreeEnvelope(reply);
      }
    }
    Envelope* const reply;
  } const disposer{reply.release()};
  return std::move(disposer.reply->template As<Outcome>());
}

// Waits for the answer in a coroutine; lives in its frame, as the plan does.
class CallWait : public Wait, public CallEntry {
 public:
  CallWait(const CallWait&) = delete;
  CallWait& operator=(const CallWait&) = delete;

  bool await_ready() const noexcept { return false; }

  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;
  std::optional<WaitedCall> ItsCall() const override;

 protected:
  explicit CallWait(CallPlan& plan) : CallEntry(kEntry), plan_(plan) {}
  ~CallWait() {
    if (is_waiting()) [[unlikely]]
      GiveUp();
  }

  // Makes the call, whose request has this behind it. False: it is over
  // already.
  bool Suspend(std::coroutine_handle<> waiting, RequestInfo& info);
  // REQUIRES: the call has not begun.
  Envelope& request() { return *plan_.request; }
  // REQUIRES: the call is over.
  EnvelopePtr GiveReply() { return std::move(plan_.request); }

 private:
  friend void HandleReply(HandlerState& handler, Envelope* reply);

  static const Type kEntry;

  void TakeReply(Envelope* reply) {
    (void)plan_.request.release();  // Null: reset() need not look.
    plan_.request.reset(reply);
    Resume();
  }
  // As Suspend(), if another call of the actor waits, or this one is refused.
  bool SuspendBeside(RootTask& root, std::coroutine_handle<> waiting,
                     RequestInfo& info);
  // Sends the request of a call that has begun.
  bool Send(std::coroutine_handle<> waiting);

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

  CallPlan& plan_;       // Its request gives way to the reply.
  int64_t deadline_ns_;  // Since it has begun.
};

// An answer has come: whoever waits for it goes on. Outside the seat.
inline void HandleReply(HandlerState& handler, Envelope* reply) {
  CallEntry* const call = handler.calls().Take(NumberOf(*reply));
  if (call == nullptr) [[unlikely]] {
    DestroyEnvelope(reply);
  } else if (&call->type() == &CallWait::kEntry) [[likely]] {
    static_cast<CallWait*>(call)->TakeReply(reply);  // Inline.
  } else {
    call->type().answer(*call, reply);
  }
}

// Waits for the answer on a plain thread; returns the reply.
EnvelopePtr CallAndBlock(CallPlan plan);

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_CALL_WAIT_H_
