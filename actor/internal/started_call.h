// A call that was made and is awaited later: the part that does not depend on
// the message.
#ifndef TROUPE_ACTOR_INTERNAL_STARTED_CALL_H_
#define TROUPE_ACTOR_INTERNAL_STARTED_CALL_H_

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/internal/blocked_thread.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/deadlock.h"
#include "troupe/actor/internal/detached_call.h"
#include "troupe/actor/internal/frame_memory.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Of an actor.
class CallOfActor final : public DetachedCall, public FrameMemory {
 public:
  // REQUIRES: in the code of an actor.
  explicit CallOfActor(CallPlan plan);

  bool is_over() const { return reply_ != nullptr; }
  // REQUIRES: is_over().
  EnvelopePtr TakeReply() { return std::move(reply_); }

  // Who is told when it is over; null: nobody.
  void set_waiting(Wait* waiting) { waiting_ = waiting; }

 private:
  void OnOver(EnvelopePtr reply) override;
  void OnAbandoned() override;

  EnvelopePtr reply_;
  Wait* waiting_ = nullptr;
};

// Of a plain thread.
struct CallOfThread {
  explicit CallOfThread(CallPlan plan);
  CallOfThread(const CallOfThread&) = delete;
  CallOfThread& operator=(const CallOfThread&) = delete;
  ~CallOfThread();

  bool is_over() const;
  // Blocks.
  EnvelopePtr Await();

  Cell* target;
  uint64_t target_id;
  const MessageType* type;
  MonotonicTime began;
  MonotonicTime deadline;
  ReplyRoute route;
  BlockedThreadPtr thread;  // Null: it was over at once, by `reply`.
  EnvelopePtr reply;
};

class CallUnderWay {
 public:
  explicit CallUnderWay(CallPlan plan);

  bool is_over() const {
    return by_actor_ != nullptr ? by_actor_->is_over() : by_thread_->is_over();
  }
  CallOfActor* by_actor() const { return by_actor_.get(); }

  // On a plain thread: blocks until it is over.
  EnvelopePtr Await();

 private:
  std::unique_ptr<CallOfActor> by_actor_;
  std::unique_ptr<CallOfThread> by_thread_;
};

// Waits in a coroutine for a call that was made before.
class StartedCallWait : public Wait {
 public:
  explicit StartedCallWait(CallUnderWay call) : call_(std::move(call)) {}
  ~StartedCallWait();

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting);

  void OnDue(HandlerState& state) override;
  void OnCancel(const absl::Status& why) override;
  std::optional<WaitedCall> ItsCall() const override {
    return call_.by_actor()->waited_call();
  }

 protected:
  EnvelopePtr TakeReply();

 private:
  CallUnderWay call_;
  EnvelopePtr refusal_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_STARTED_CALL_H_
