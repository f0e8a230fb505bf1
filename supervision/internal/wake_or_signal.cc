#include "troupe/supervision/internal/wake_or_signal.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/clock.h"

namespace troupe::internal {

absl::StatusOr<std::unique_ptr<WakeOrSignal>> WakeOrSignal::Create(
    absl::Duration longest_poll) {
  std::unique_ptr<WakeOrSignal> wait(new WakeOrSignal(longest_poll));
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, &wait->before_);
  wait->signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  wait->wakes_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wait->signals_ < 0 || wait->wakes_ < 0) {
    return absl::UnavailableError(
        absl::StrCat("waiting for signals: ", std::strerror(errno)));
  }
  return wait;
}

WakeOrSignal::~WakeOrSignal() {
  if (signals_ >= 0) close(signals_);
  if (wakes_ >= 0) close(wakes_);
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void WakeOrSignal::Wake() {
  const uint64_t one = 1;
  // It can only fail when it has been woken very often already.
  (void)!write(wakes_, &one, sizeof(one));
}

WakeOrSignal::Cause WakeOrSignal::Wait(absl::Duration timeout) {
  pollfd fds[] = {{signals_, POLLIN, 0}, {wakes_, POLLIN, 0}};
  const MonotonicTime deadline = RealClock().Now() + timeout;
  while (true) {
    const absl::Duration left = deadline - RealClock().Now();
    const absl::Duration part =
        std::clamp(left, absl::ZeroDuration(), longest_poll_);
    const int milliseconds = static_cast<int>(
        absl::ToInt64Milliseconds(absl::Ceil(part, absl::Milliseconds(1))));
    // EINTR: by a signal of somebody else.
    if (poll(fds, 2, milliseconds) < 0) continue;
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof(info)) == sizeof(info)) {
      return Cause::kSignal;
    }
    uint64_t count;
    if (read(wakes_, &count, sizeof(count)) == sizeof(count)) {
      return Cause::kWoken;
    }
    if (left <= absl::ZeroDuration()) return Cause::kTimeout;
  }
}

}  // namespace troupe::internal
