#include "troupe/actor/run_blocking.h"

#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/system_core.h"

namespace troupe::internal {

absl::Status BlockingWait::BeginWork(Cell& caller) {
  return caller.system->RunBlocking(std::move(job_));
}

}  // namespace troupe::internal
