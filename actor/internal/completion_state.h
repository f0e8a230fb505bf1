// What a Completer and its Completion share, and the wait for it, apart from
// its type.
#ifndef TROUPE_ACTOR_INTERNAL_COMPLETION_STATE_H_
#define TROUPE_ACTOR_INTERNAL_COMPLETION_STATE_H_

#include <coroutine>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/answer_wait.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Goes from pending to completed or abandoned, once.
//
// Thread safety: any thread. Not in the seat.
class CompletionState {
 public:
  // The outcome: goes to who waits, or stays until somebody does. False: it is
  // completed already, or abandoned; the outcome is destroyed.
  bool Complete(EnvelopePtr outcome) ABSL_LOCKS_EXCLUDED(mu_);
  // Nobody will: completes with kCancelled.
  void Drop() ABSL_LOCKS_EXCLUDED(mu_);

  // The outcome, if it is there.
  EnvelopePtr Take() ABSL_LOCKS_EXCLUDED(mu_);
  // The same; else it goes to `route` as soon as it is there.
  EnvelopePtr TakeOrSend(const ReplyRoute& route) ABSL_LOCKS_EXCLUDED(mu_);

  // Nobody wants to know any more.
  void Abandon() ABSL_LOCKS_EXCLUDED(mu_);
  bool abandoned() const ABSL_LOCKS_EXCLUDED(mu_);

 private:
  mutable absl::Mutex mu_;
  EnvelopePtr outcome_ ABSL_GUARDED_BY(mu_);
  ReplyRoute route_ ABSL_GUARDED_BY(mu_);  // Of who waits.
  bool completed_ ABSL_GUARDED_BY(mu_) = false;
  bool abandoned_ ABSL_GUARDED_BY(mu_) = false;
};

// Owns the waiting half of a state: abandons it in the end.
class CompletionHandle {
 public:
  CompletionHandle() = default;
  explicit CompletionHandle(std::shared_ptr<CompletionState> state)
      : state_(std::move(state)) {}
  CompletionHandle(CompletionHandle&&) noexcept = default;
  CompletionHandle& operator=(CompletionHandle&& other) noexcept {
    CompletionHandle taken(std::move(other));
    state_.swap(taken.state_);
    return *this;
  }
  ~CompletionHandle() {
    if (state_ != nullptr) state_->Abandon();
  }

  CompletionState* get() const { return state_.get(); }

 private:
  std::shared_ptr<CompletionState> state_;
};

class CompletionWait : public AnswerWait {
 public:
  // `what` is the type that is waited for.
  CompletionWait(CompletionHandle handle, absl::Duration timeout,
                 std::string_view what)
      : AnswerWait(timeout), handle_(std::move(handle)), what_(what) {}

  bool await_suspend(std::coroutine_handle<> waiting);

 protected:
  ~CompletionWait() { Drop(); }

  // Begins what will complete it, if that has not begun.
  virtual absl::Status BeginWork(Cell&) { return absl::OkStatus(); }

  // REQUIRES: the wait is over.
  EnvelopePtr TakeReply();

 private:
  std::string What() const override;
  void OnGiveUp() override { handle_ = CompletionHandle(); }

  CompletionHandle handle_;
  const std::string_view what_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_COMPLETION_STATE_H_
