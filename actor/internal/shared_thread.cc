#include "troupe/actor/internal/shared_thread.h"

namespace troupe::internal {

absl::StatusOr<std::shared_ptr<SharedThread>> SharedThread::Start(
    SystemCore& system, absl::string_view name) {
  absl::StatusOr<Worker*> worker = system.executor().StartDedicatedWorker(name);
  if (!worker.ok()) return worker.status();
  return std::make_shared<SharedThread>(system.shared_from_this(), **worker);
}

}  // namespace troupe::internal
