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

namespace troupe::internal {

absl::StatusOr<std::unique_ptr<WakeOrSignal>> WakeOrSignal::Create() {
  std::unique_ptr<WakeOrSignal> wait(new WakeOrSignal);
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
  constexpr int64_t kLongest = 1'000'000;
  const int64_t milliseconds = std::clamp(
      absl::ToInt64Milliseconds(absl::Ceil(timeout, absl::Milliseconds(1))),
      int64_t{0}, kLongest);
  while (true) {
    const int ready = poll(fds, 2,
                           timeout == absl::InfiniteDuration()
                               ? -1
                               : static_cast<int>(milliseconds));
    if (ready < 0) continue;  // EINTR: by a signal of somebody else.
    signalfd_siginfo info;
    if (read(signals_, &info, sizeof(info)) == sizeof(info)) {
      return Cause::kSignal;
    }
    uint64_t count;
    if (read(wakes_, &count, sizeof(count)) == sizeof(count)) {
      return Cause::kWoken;
    }
    if (ready == 0) return Cause::kTimeout;
  }
}

}  // namespace troupe::internal
