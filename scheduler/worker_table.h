// The workers of the process by slot, so that an OwnerTag leads to its worker.
//
// A tag must mean one worker in the whole process: threads of one executor send
// to objects of another. Slots are reused when their executor is gone; epochs
// are not, so a tag never returns.
//
// Thread safety: any thread.
#ifndef TROUPE_SCHEDULER_WORKER_TABLE_H_
#define TROUPE_SCHEDULER_WORKER_TABLE_H_

#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "troupe/base/ownership.h"

namespace troupe {

class Worker;

class WorkerTable {
 public:
  // Returns the first tag of a new worker. kResourceExhausted: the process has
  // 65,535 workers already.
  static absl::StatusOr<uint64_t> Add(Worker& worker);

  // `last_tag` is the newest that the worker used. REQUIRES: no object has one
  // of its tags.
  static void Remove(uint64_t last_tag);

  // REQUIRES: `tag` is of a worker that was added and not removed.
  static Worker& Find(uint64_t tag) {
    // Relaxed: who has the tag got it after the worker was added, through the
    // object that has it.
    return *workers_[OwnerTag::Slot(tag)].load(std::memory_order_relaxed);
  }

 private:
  static std::atomic<Worker*> workers_[OwnerTag::kNobody];
};

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_WORKER_TABLE_H_
