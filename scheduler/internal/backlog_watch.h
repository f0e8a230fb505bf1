// A BacklogWatch tells a worker when its work is worth sharing: when what is
// ready would last longer than it takes to wake another worker.
//
//   if (watch.IsDue() && watch.Look(clock.Now(), worker.turns(), ready)) ...
//
// It looks at the clock as rarely as it can: after 1, 2, 4 and at last every 32
// turns, as long as there is no backlog.
//
// Thread safety: none; it belongs to whoever drives the worker.
#ifndef TROUPE_SCHEDULER_INTERNAL_BACKLOG_WATCH_H_
#define TROUPE_SCHEDULER_INTERNAL_BACKLOG_WATCH_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "troupe/base/clock.h"

namespace troupe::internal {

class BacklogWatch {
 public:
  // About what waking another thread takes.
  static constexpr int64_t kWorthSharingNs = 50'000;
  static constexpr uint32_t kMaxInterval = 32;
  // At most so many turns are looked at to see a backlog a second time: they
  // may be long. Together with kMaxInterval it is a prime, so that no pattern
  // of long and short turns keeps in step with the looks.
  static constexpr uint32_t kTurnsToConfirm = 5;

  // A new stretch of work begins: what was seen before says nothing of it.
  void Restart() { *this = BacklogWatch(); }

  // To be asked after each turn: whether Look() is to be called.
  bool IsDue() { return --turns_to_look_ == 0; }

  // Whether work is to be shared now. `turns` counts all that the worker has
  // run; `ready` wait for theirs.
  bool Look(MonotonicTime now, uint64_t turns, uint32_t ready) {
    const uint64_t turns_before = std::exchange(turns_, turns);
    const MonotonicTime before = std::exchange(looked_at_, now);
    turns_to_look_ = interval_;
    // The first look has nothing to compare.
    if (turns_before == 0) return false;
    const int64_t turn_ns = (now.ToNanoseconds() - before.ToNanoseconds()) /
                            static_cast<int64_t>(turns - turns_before);
    if (turn_ns * ready < kWorthSharingNs) {
      seen_ = false;
      // More turns at once: where short ones lie between long ones, as answers
      // between jobs do, every second look might else hit a short one.
      turns_to_look_ = interval_ = std::min(2 * interval_, kMaxInterval);
      return false;
    }
    // Seen twice: once may be an interruption of this thread, and those who
    // talk to each other are slow for long after they were set apart.
    if (!std::exchange(seen_, true)) {
      turns_to_look_ = std::min(interval_, kTurnsToConfirm);
      return false;
    }
    turns_to_look_ = interval_ = 1;
    return true;
  }

 private:
  uint32_t turns_to_look_ = 1;
  uint32_t interval_ = 1;
  uint64_t turns_ = 0;  // At the last look.
  bool seen_ = false;   // A backlog, by the last look.
  MonotonicTime looked_at_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_BACKLOG_WATCH_H_
