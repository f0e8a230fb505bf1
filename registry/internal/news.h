// News are what happens under a lock and is told outside of it, so that who is
// told may use what the lock guards.
//
//   {
//     absl::MutexLock lock(&mu_);
//     ...
//     news_.Note(Gone(name));
//   }
//   news_.Tell([&](const Gone& gone) { ... });
//
// Order: as noted, although several threads tell: they do so one at a time. A
// thread that finds another one at it leaves its news to that one, and so does
// who is told and has news.
// Bounds: none: as many as there are while one is told.
// Blocking: none but by what is called.
// Thread safety: any thread; Tell() without locks that who is told may want.
#ifndef TROUPE_REGISTRY_INTERNAL_NEWS_H_
#define TROUPE_REGISTRY_INTERNAL_NEWS_H_

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/fifo.h"

namespace troupe::internal {

// T is default constructible and movable.
template <typename T>
class News {
 public:
  News() = default;
  News(const News&) = delete;
  News& operator=(const News&) = delete;

  void Note(T one) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    noted_.Push(std::move(one));
  }

  // Calls tell(one), which does not throw, for each that was noted, also
  // meanwhile.
  void Tell(absl::FunctionRef<void(const T&)> tell) ABSL_LOCKS_EXCLUDED(mu_) {
    {
      absl::MutexLock lock(&mu_);
      if (telling_) return;
      telling_ = true;
    }
    while (true) {
      T next;
      {
        absl::MutexLock lock(&mu_);
        if (noted_.empty()) {
          telling_ = false;
          return;
        }
        next = noted_.Pop();
      }
      tell(next);
    }
  }

 private:
  absl::Mutex mu_;
  Fifo<T> noted_ ABSL_GUARDED_BY(mu_);
  bool telling_ ABSL_GUARDED_BY(mu_) = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_REGISTRY_INTERNAL_NEWS_H_
