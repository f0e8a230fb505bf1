// Decides about the attempts of a call that is repeated: the part that does not
// depend on the message.
#ifndef TROUPE_ACTOR_INTERNAL_RETRY_LOOP_H_
#define TROUPE_ACTOR_INTERNAL_RETRY_LOOP_H_

#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/internal/call_wait.h"
#include "troupe/actor/retry_options.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

class SystemCore;

// Thread safety: belongs to the coroutine or thread that calls.
class RetryLoop {
 public:
  // The time for all attempts begins.
  RetryLoop(const RetryOptions& options, const CallPlan& plan);

  // For how long the attempt that begins now may wait.
  CallTimeout BeginAttempt();
  // Whether that was the last one.
  bool IsLast() const { return attempt_ >= options_.attempts; }
  // How long to pause before the next one, now that this one has yielded
  // `status`; nothing if there is to be none.
  std::optional<absl::Duration> PauseAfter(const absl::Status& status);
  // The failure of the last attempt, with what is known of all.
  absl::Status FailureOfAll(const absl::Status& last) const;

  // Pauses on a plain thread.
  void Block(absl::Duration pause);

 private:
  bool MayRepeat(const absl::Status& failure) const;
  absl::Duration NextPause();

  const RetryOptions options_;
  const std::shared_ptr<SystemCore> system_;  // The caller's. Null: no actor.
  MonotonicTime deadline_;
  absl::Duration backoff_;
  int attempt_ = 0;
  bool may_have_run_ = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_RETRY_LOOP_H_
