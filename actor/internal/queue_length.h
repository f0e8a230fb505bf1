// Asks in a Task how many messages wait in the mailbox of an actor:
//
//   absl::StatusOr<uint64_t> waiting = co_await QueueLength(actor, timeout);
//
// The actor's worker answers between two of its turns, or its thread when a
// handler looks after its mail; 0 if there is no such actor (any more).
//
// Errors: as of Ended.
#ifndef TROUPE_ACTOR_INTERNAL_QUEUE_LENGTH_H_
#define TROUPE_ACTOR_INTERNAL_QUEUE_LENGTH_H_

#include <coroutine>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/answer_wait.h"

namespace troupe::internal {

class QueueLengthWait final : public AnswerWait {
 public:
  QueueLengthWait(AnyActorRef actor, absl::Duration timeout)
      : AnswerWait(timeout), actor_(actor) {}
  ~QueueLengthWait() { Drop(); }

  bool await_suspend(std::coroutine_handle<> waiting);
  absl::StatusOr<uint64_t> await_resume();

 private:
  std::string What() const override;
  void OnGiveUp() override {}  // The answer is dropped where it arrives.

  const AnyActorRef actor_;
};

class [[nodiscard]] QueueLength {
 public:
  QueueLength(const AnyActorRef& actor, absl::Duration timeout)
      : actor_(actor), timeout_(timeout) {}

  QueueLengthWait operator co_await() const {
    return QueueLengthWait(actor_, timeout_);
  }

 private:
  AnyActorRef actor_;
  absl::Duration timeout_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_QUEUE_LENGTH_H_
