#include "troupe/base/cond_var.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__GLIBCXX__) && !defined(_GLIBCXX_USE_PTHREAD_COND_CLOCKWAIT)
#error "this standard library waits by the time of day, whatever the clock"
#endif

namespace troupe {

bool CondVar::WaitWithDeadline(absl::Mutex* mu, MonotonicTime deadline) {
  const bool has_limit = deadline != MonotonicTime::InfiniteFuture();
  if (has_limit && deadline <= RealClock().Now()) {
    // Others get it, also where one goes by another clock and comes back.
    mu->Unlock();
    mu->Lock();
    return true;
  }
  ++waiting_;
  bool passed = false;
  {
    std::unique_lock<std::mutex> inner(inner_);
    mu->Unlock();
    if (has_limit) {
      // What RealClock() reads is what this one reads.
      const std::chrono::steady_clock::time_point until(
          std::chrono::nanoseconds(deadline.ToNanoseconds()));
      passed = signal_.wait_until(inner, until) == std::cv_status::timeout;
    } else {
      signal_.wait(inner);
    }
  }
  mu->Lock();
  --waiting_;
  return passed;
}

void CondVar::LetWaitersBegin() {
  // Not held while waking: who wakes needs it first thing.
  inner_.lock();
  inner_.unlock();
}

void CondVar::SignalOne() {
  LetWaitersBegin();
  signal_.notify_one();
}

void CondVar::SignalAll() {
  if (waiting_ == 0) return;
  LetWaitersBegin();
  signal_.notify_all();
}

}  // namespace troupe
