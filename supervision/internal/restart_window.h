// Counts restarts as OTP does: those in a time that slides along, both of its
// ends included.
//
//   RestartWindow window;
//   if (!window.Admit(intensity, now)) GiveUp();
//
// Memory: of the last Intensity::restarts restarts, at most.
// Thread safety: none.
#ifndef TROUPE_SUPERVISION_INTERNAL_RESTART_WINDOW_H_
#define TROUPE_SUPERVISION_INTERNAL_RESTART_WINDOW_H_

#include <cstddef>

#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/fifo.h"
#include "troupe/supervision/strategy.h"

namespace troupe::internal {

class RestartWindow {
 public:
  // Counts a restart at `now`; false if that is one too many, and then it does
  // not count.
  // REQUIRES: `now` never decreases
  bool Admit(const Intensity& intensity, MonotonicTime now) {
    const MonotonicTime oldest = now - intensity.within;
    while (!restarts_.empty() && restarts_.front() < oldest) restarts_.Pop();
    if (restarts_.size() >= static_cast<size_t>(intensity.restarts)) {
      return false;
    }
    restarts_.Push(now);
    return true;
  }

  // Those that counted at the last Admit(), without it if it was one too many.
  size_t count() const { return restarts_.size(); }

  // How long ago the first of them was.
  absl::Duration SpanUntil(MonotonicTime now) const {
    return restarts_.empty() ? absl::ZeroDuration() : now - restarts_.front();
  }

 private:
  Fifo<MonotonicTime> restarts_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_RESTART_WINDOW_H_
