// Clocks for tests of code that waits: one by which a wait takes as long as the
// test says, and one that tells when a thread is about to wait.
//
// Example:
//
//   const AnnouncingClock clock(RealClock());
//   std::thread receiver([&] { Receive(clock, deadline); });
//   clock.WaitUntilAsked();
//   // The receiver reads the clock under the lock under which it waits: who
//   // takes that lock from now on finds it waiting.
#ifndef TROUPE_TESTING_TEST_CLOCKS_H_
#define TROUPE_TESTING_TEST_CLOCKS_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/base/clock.h"

namespace troupe::testing {

// Advances by `step` whenever it is asked. For one thread.
class SteppingClock final : public Clock {
 public:
  explicit SteppingClock(absl::Duration step) : step_(step) {}

  MonotonicTime Now() const override { return now_ += step_; }

 private:
  const absl::Duration step_;
  mutable MonotonicTime now_;
};

// Tells the time of `clock`, and whether it was asked for it.
class AnnouncingClock final : public Clock {
 public:
  // `clock` must outlive this one.
  explicit AnnouncingClock(const Clock& clock) : clock_(clock) {}

  MonotonicTime Now() const override ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ++asked_;
    return clock_.Now();
  }

  // Blocks until the clock was asked `times` times since it was made.
  void WaitUntilAsked(int times = 1) const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    const auto often_enough = [this, times]() ABSL_SHARED_LOCKS_REQUIRED(mu_) {
      return asked_ >= times;
    };
    mu_.Await(absl::Condition(&often_enough));
  }

 private:
  const Clock& clock_;
  mutable absl::Mutex mu_;
  mutable int asked_ ABSL_GUARDED_BY(mu_) = 0;
};

}  // namespace troupe::testing

#endif  // TROUPE_TESTING_TEST_CLOCKS_H_
