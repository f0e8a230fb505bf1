#include "troupe/actor/internal/shared_thread.h"

namespace troupe::internal {

absl::StatusOr<std::shared_ptr<SharedThread>> SharedThread::Start(
    SystemCore& system, absl::string_view name) {
  // First: a worker that runs is never without one who releases it.
  auto thread = std::make_shared<SharedThread>(system.shared_from_this());
  absl::StatusOr<Worker*> worker = system.executor().StartDedicatedWorker(name);
  if (!worker.ok()) return worker.status();
  thread->worker_ = *worker;
  return thread;
}

}  // namespace troupe::internal
