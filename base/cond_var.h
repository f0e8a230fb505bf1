// A condition variable for absl::Mutex whose time limits go by the monotonic
// clock.
//
// absl::CondVar and absl::Mutex::AwaitWithTimeout() go by the time of day
// before Abseil 20230802: who sets that back by an hour makes each of their
// waits an hour longer, and who sets it forward ends them. Everything here that
// waits with a limit waits by this one.
//
//   absl::MutexLock lock(&mu_);
//   while (!ready_) {
//     if (changed_.WaitWithDeadline(&mu_, deadline)) return ready_;
//   }
//
// Ownership: may be destroyed once every wait has returned.
// Blocking: the waits block, without `mu`, and may end for no reason.
// Thread safety: its state is the mutex's: every member is called by who holds
// it, and always the same one.
#ifndef TROUPE_BASE_COND_VAR_H_
#define TROUPE_BASE_COND_VAR_H_

#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"

namespace troupe {

class CondVar {
 public:
  CondVar() : signal_() {}
  ~CondVar() {}
  CondVar(const CondVar&) = delete;
  CondVar& operator=(const CondVar&) = delete;

  // Each gives `mu` up, waits for a signal, and has `mu` again.
  void Wait(absl::Mutex* mu) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    (void)WaitWithDeadline(mu, MonotonicTime::InfiniteFuture());
  }
  // Returns whether `deadline`, of RealClock(), has passed; perhaps there was a
  // signal as well.
  bool WaitWithDeadline(absl::Mutex* mu, MonotonicTime deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu);
  bool WaitWithTimeout(absl::Mutex* mu, absl::Duration timeout)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu) {
    return WaitWithDeadline(mu, RealClock().Now() + timeout);
  }

  // Wakes one of those that wait, or all. Where nobody does, it costs nothing.
  // REQUIRES: the caller holds the mutex.
  void Signal() {
    if (waiting_ > 0) SignalOne();
  }
  void SignalAll();

 private:
  void SignalOne();
  // Who has given `mu` up has `inner_` until he waits.
  void LetWaitersBegin();

  int waiting_ = 0;

  // Of the standard library, whose limits are monotonic, but which knows no
  // other mutex. Who waits takes it before he gives up the absl::Mutex, so that
  // no signal comes in between.
  std::mutex inner_;
  // Holds nothing, and is not destroyed: in a child of fork() that would wait
  // for who waited in the parent.
  union {
    std::condition_variable signal_;
  };
};

}  // namespace troupe

#endif  // TROUPE_BASE_COND_VAR_H_
