// A one-shot event that plain threads wait for through Executor::WaitFor(), so
// that the same code works where waiting must pump a deterministic executor.
//
// Thread safety: any thread.
// Memory ordering: what happened before Set() is visible after a wait or an
// IsSet() that returned true.
#ifndef TROUPE_SCHEDULER_EVENT_H_
#define TROUPE_SCHEDULER_EVENT_H_

#include <atomic>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"
#include "troupe/base/cond_var.h"

namespace troupe {

class Event {
 public:
  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void Set() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    set_ = true;
    changed_.SignalAll();
    looks_set_.store(true, std::memory_order_relaxed);
  }

  // A hint for who looks in a loop before it waits: whether IsSet() is worth a
  // call. Relaxed, and to be followed by IsSet() or a wait, whose lock orders
  // and lets Set() leave the event, which may then go.
  bool LooksSet() const { return looks_set_.load(std::memory_order_relaxed); }

  bool IsSet() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return set_;
  }

  // Blocks. Returns whether the event was set within `timeout`.
  bool WaitWithTimeout(absl::Duration timeout) const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const MonotonicTime deadline = RealClock().Now() + timeout;
    while (!set_ && !changed_.WaitWithDeadline(&mu_, deadline)) {
    }
    return set_;
  }

 private:
  mutable absl::Mutex mu_;
  mutable CondVar changed_;
  bool set_ ABSL_GUARDED_BY(mu_) = false;
  std::atomic<bool> looks_set_{false};
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_EVENT_H_
