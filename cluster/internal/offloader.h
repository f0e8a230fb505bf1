// Does outside of all turns what would take one too long: messages of many
// megabytes are written, put together, read and freed here, one thread's work
// for each, while the sessions go on.
//
// The threads are no others' (see RunBlocking()): those may all wait for a call
// that is written here.
//
// Blocking: none; the destructor waits for what runs.
// Thread safety: any thread.
// Errors: what finds no thread is done by the caller, at once.
#ifndef TROUPE_CLUSTER_INTERNAL_OFFLOADER_H_
#define TROUPE_CLUSTER_INTERNAL_OFFLOADER_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "troupe/actor/actor_system.h"
#include "troupe/scheduler/blocking_pool.h"

namespace troupe::internal {

// What is longer is not written or read in a turn of a session. A quarter of a
// megabyte takes some 0.1 ms.
inline constexpr size_t kLongBytes = size_t{256} << 10;

class Offloader {
 public:
  explicit Offloader(ActorSystem& system);

  // Has the task run: by a thread, or, on an executor without threads, in a
  // turn of its own.
  void Run(BlockingPool::Task task);
  // Destroys it there.
  template <typename T>
  void Free(T object) {
    Run([object = std::move(object)] {});
  }

 private:
  ActorSystem& system_;
  std::unique_ptr<BlockingPool> pool_;  // Null: the executor has no threads.
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_OFFLOADER_H_
