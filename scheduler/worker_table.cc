#include "troupe/scheduler/worker_table.h"

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace troupe {
namespace {

struct Slots {
  absl::Mutex mu;
  // First tags of slots that were used before.
  std::vector<uint64_t> returned ABSL_GUARDED_BY(mu);
  uint64_t used ABSL_GUARDED_BY(mu) = 0;
};

Slots& GetSlots() {
  static Slots* const slots = new Slots;  // As long as the process.
  return *slots;
}

}  // namespace

std::atomic<Worker*> WorkerTable::workers_[OwnerTag::kNobody];

absl::StatusOr<uint64_t> WorkerTable::Add(Worker& worker) {
  Slots& slots = GetSlots();
  absl::MutexLock lock(&slots.mu);
  uint64_t tag;
  if (!slots.returned.empty()) {
    tag = slots.returned.back();
    slots.returned.pop_back();
  } else if (slots.used < OwnerTag::kNobody) {
    tag = OwnerTag::Make(OwnerTag::kFirstEpoch, slots.used++);
  } else {
    return absl::ResourceExhaustedError(
        "the process has 65535 workers already; shut an executor down first");
  }
  workers_[OwnerTag::Slot(tag)].store(&worker, std::memory_order_relaxed);
  return tag;
}

void WorkerTable::Remove(uint64_t last_tag) {
  Slots& slots = GetSlots();
  absl::MutexLock lock(&slots.mu);
  workers_[OwnerTag::Slot(last_tag)].store(nullptr, std::memory_order_relaxed);
  slots.returned.push_back(OwnerTag::NextEpoch(last_tag));
}

}  // namespace troupe
