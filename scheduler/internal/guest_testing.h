// A thread that delivers as a guest, for tests, with as many after it as
// executors keep.
#ifndef TROUPE_SCHEDULER_INTERNAL_GUEST_TESTING_H_
#define TROUPE_SCHEDULER_INTERNAL_GUEST_TESTING_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/scheduler/guest.h"
#include "troupe/scheduler/thread_factory.h"

namespace troupe::internal {

class GuestThread {
 public:
  // Calls `body`; again, on another thread, when an executor keeps the one that
  // is in it: that one must return then, and touch nothing but its own.
  explicit GuestThread(std::function<void(Guest&)> body)
      : body_(std::move(body)) {
    absl::MutexLock lock(&mu_);
    StartThread();
  }
  ~GuestThread() {
    AwaitEnd();
    absl::MutexLock lock(&mu_);
    thread_->Join();
  }

  // Until `body` has returned, and not because its thread was kept.
  void AwaitEnd() {
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&ended_));
  }

  // Threads that executors have kept so far.
  int kept() const {
    absl::MutexLock lock(&mu_);
    return kept_;
  }

 private:
  void StartThread() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
    thread_ = RealThreadFactory().Start("guest", [this] { Run(); }).value();
  }
  void Run() {
    bool is_kept = false;
    Guest guest([this, &is_kept] {
      is_kept = true;
      absl::MutexLock lock(&mu_);
      ++kept_;
      std::unique_ptr<JoinableThread> gone = std::move(thread_);
      StartThread();
      return gone;
    });
    body_(guest);
    if (is_kept) return;
    absl::MutexLock lock(&mu_);
    ended_ = true;
  }

  const std::function<void(Guest&)> body_;
  mutable absl::Mutex mu_;
  bool ended_ ABSL_GUARDED_BY(mu_) = false;
  int kept_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<JoinableThread> thread_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_SCHEDULER_INTERNAL_GUEST_TESTING_H_
