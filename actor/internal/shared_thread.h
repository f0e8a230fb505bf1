// A worker with a thread of its own, for as long as somebody needs it: the
// actors that it runs, and the handles that users keep (pinned_thread.h).
#ifndef TROUPE_ACTOR_INTERNAL_SHARED_THREAD_H_
#define TROUPE_ACTOR_INTERNAL_SHARED_THREAD_H_

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

class SharedThread {
 public:
  // Errors: those of Executor::StartDedicatedWorker().
  static absl::StatusOr<std::shared_ptr<SharedThread>> Start(
      SystemCore& system, absl::string_view name);

  // Without a worker so far: see Start().
  explicit SharedThread(std::shared_ptr<SystemCore> system)
      : system_(std::move(system)) {}
  SharedThread(const SharedThread&) = delete;
  SharedThread& operator=(const SharedThread&) = delete;
  // Its actors are gone.
  ~SharedThread() {
    if (worker_ != nullptr) system_->ReleaseThread(*worker_);
  }

  const SystemCore& system() const { return *system_; }
  // REQUIRES: the system has not ended.
  Worker& worker() { return *worker_; }

 private:
  // Outlives its ActorSystem, so that a handle may.
  const std::shared_ptr<SystemCore> system_;
  Worker* worker_ = nullptr;  // Set once, by Start().
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SHARED_THREAD_H_
