// Lets one thread wait for a signal of the process, or for another thread to
// wake it.
//
// Thread safety: Wake() from any thread; the rest by the thread that made it.
#ifndef TROUPE_SUPERVISION_INTERNAL_WAKE_OR_SIGNAL_H_
#define TROUPE_SUPERVISION_INTERNAL_WAKE_OR_SIGNAL_H_

#include <csignal>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace troupe::internal {

class WakeOrSignal {
 public:
  // Blocks SIGTERM and SIGINT for the calling thread, and those that it makes,
  // until this is destroyed. kUnavailable: the system has no file descriptors
  // left. `longest_poll` is for tests: a wait is made of polls, of which one
  // can be no longer than an int of milliseconds.
  static absl::StatusOr<std::unique_ptr<WakeOrSignal>> Create(
      absl::Duration longest_poll = absl::Hours(1));
  WakeOrSignal(const WakeOrSignal&) = delete;
  WakeOrSignal& operator=(const WakeOrSignal&) = delete;
  ~WakeOrSignal();

  void Wake();

  // What ended a wait.
  enum class Cause { kWoken, kSignal, kTimeout };
  // Waits for the first of these, for all of `timeout`, which may be infinite,
  // if none comes; what other signals interrupt goes on. A signal comes before
  // a wake, and each signal is one.
  Cause Wait(absl::Duration timeout);

 private:
  explicit WakeOrSignal(absl::Duration longest_poll)
      : longest_poll_(longest_poll) {}

  const absl::Duration longest_poll_;
  sigset_t before_;  // The signals that were blocked before.
  int signals_ = -1;
  int wakes_ = -1;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_WAKE_OR_SIGNAL_H_
