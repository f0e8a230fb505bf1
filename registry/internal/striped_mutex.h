// A StripedMutex lets readers on different processors pass without touching
// each other's memory. Each processor has a lock of its own, which readers take
// shared; a writer takes all of them. For what is read far more often than it
// is written.
//
//   StripedMutex mu_;
//   Table table_ ABSL_GUARDED_BY(mu_);
//
//   const StripedReaderLock lock(mu_);  // or StripedWriterLock
//
// Order: none between waiting writers but that of the first lock.
// Ownership: 64 bytes for each processor, up to kMaxStripes of them.
// Blocking: readers wait for a writer, a writer for all readers.
// Thread safety: any thread. Neither lock is recursive.
// Memory ordering: as that of absl::Mutex.
#ifndef TROUPE_REGISTRY_INTERNAL_STRIPED_MUTEX_H_
#define TROUPE_REGISTRY_INTERNAL_STRIPED_MUTEX_H_

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace troupe::internal {

class ABSL_LOCKABLE StripedMutex {
 public:
  // A writer takes as many locks: beyond that, processors share one.
  static constexpr unsigned kMaxStripes = 16;

  // One for each processor that the machine may have.
  StripedMutex()
      : StripedMutex(static_cast<unsigned>(
            std::max(1L, sysconf(_SC_NPROCESSORS_CONF)))) {}
  explicit StripedMutex(unsigned processors)
      : stripes_(std::bit_ceil(std::clamp(processors, 1u, kMaxStripes))),
        locks_(std::make_unique<Stripe[]>(stripes_)) {}
  StripedMutex(const StripedMutex&) = delete;
  StripedMutex& operator=(const StripedMutex&) = delete;

  unsigned stripes() const { return stripes_; }

 private:
  friend class StripedReaderLock;
  friend class StripedWriterLock;

  struct alignas(64) Stripe {
    absl::Mutex mu;
  };

  // Any would do. The thread may be moved to another processor at once, and
  // then shares a lock for a while.
  absl::Mutex& OfThisProcessor() const {
    return locks_[static_cast<unsigned>(sched_getcpu()) & (stripes_ - 1)].mu;
  }
  void LockAll() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (unsigned i = 0; i < stripes_; ++i) locks_[i].mu.Lock();
  }
  void UnlockAll() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (unsigned i = stripes_; i > 0; --i) locks_[i - 1].mu.Unlock();
  }

  const unsigned stripes_;  // A power of two.
  const std::unique_ptr<Stripe[]> locks_;
};

class ABSL_SCOPED_LOCKABLE StripedReaderLock {
 public:
  explicit StripedReaderLock(const StripedMutex& mu)
      ABSL_SHARED_LOCK_FUNCTION(mu) ABSL_NO_THREAD_SAFETY_ANALYSIS
      : lock_(mu.OfThisProcessor()) {
    lock_.ReaderLock();
  }
  StripedReaderLock(const StripedReaderLock&) = delete;
  StripedReaderLock& operator=(const StripedReaderLock&) = delete;
  ~StripedReaderLock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    lock_.ReaderUnlock();
  }

 private:
  absl::Mutex& lock_;
};

class ABSL_SCOPED_LOCKABLE StripedWriterLock {
 public:
  explicit StripedWriterLock(StripedMutex& mu) ABSL_EXCLUSIVE_LOCK_FUNCTION(mu)
      : mu_(mu) {
    mu_.LockAll();
  }
  StripedWriterLock(const StripedWriterLock&) = delete;
  StripedWriterLock& operator=(const StripedWriterLock&) = delete;
  ~StripedWriterLock() ABSL_UNLOCK_FUNCTION() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    mu_.UnlockAll();
  }

 private:
  StripedMutex& mu_;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_STRIPED_MUTEX_H_
