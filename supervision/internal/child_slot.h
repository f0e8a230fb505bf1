// Where a supervised child can be found: what all ChildRefs to it share.
//
// Thread safety: any thread.
#ifndef TROUPE_SUPERVISION_INTERNAL_CHILD_SLOT_H_
#define TROUPE_SUPERVISION_INTERNAL_CHILD_SLOT_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/any_actor_ref.h"

namespace troupe::internal {

class ChildSlot {
 public:
  // Null before the supervisor has started.
  AnyActorRef address() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return address_;
  }
  // Null: there is none at the moment.
  AnyActorRef instance() const ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return instance_;
  }
  void set_address(const AnyActorRef& address) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    address_ = address;
  }
  void set_instance(const AnyActorRef& instance) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    instance_ = instance;
  }

 private:
  mutable absl::Mutex mu_;
  AnyActorRef address_ ABSL_GUARDED_BY(mu_);
  AnyActorRef instance_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_CHILD_SLOT_H_
