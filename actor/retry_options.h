// When and how often a call is repeated; see retry.h.
#ifndef TROUPE_ACTOR_RETRY_OPTIONS_H_
#define TROUPE_ACTOR_RETRY_OPTIONS_H_

#include <type_traits>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace troupe {

// How long to pause before the next attempt.
struct Backoff {
  absl::Duration initial = absl::Milliseconds(10);
  absl::Duration max = absl::Seconds(1);
  double factor = 2;  // From one pause to the next.
  // By what part each is shorter or longer, at random, so that callers who
  // failed together do not come back together: 0 for none, at most 1.
  double jitter = 0.2;
};

struct RetryOptions {
  int attempts = 3;  // At most, with the first one. Less than 1 counts as 1.
  // Of each attempt; never longer than what is left for all.
  absl::Duration attempt_timeout = absl::InfiniteDuration();
  Backoff backoff = {};
  // Repeat requests, too, whose handler may have run.
  bool also_unknown = false;
  // Repeat requests, too, that an actor did not handle because it had ended: in
  // vain, unless an address leads to the next one, as a ChildRef's does.
  bool also_ended = false;
  // Decides alone what failure is repeated, if it is given: a function without
  // state.
  bool (*when)(const absl::Status& failure) = nullptr;
};
// GCC before 13 would destroy twice what stands where a call is awaited.
static_assert(std::is_trivially_destructible_v<RetryOptions>);

}  // namespace troupe

#endif  // TROUPE_ACTOR_RETRY_OPTIONS_H_
