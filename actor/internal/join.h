// A coroutine's wait for several others at once.
#ifndef TROUPE_ACTOR_INTERNAL_JOIN_H_
#define TROUPE_ACTOR_INTERNAL_JOIN_H_

#include <cstddef>

#include "troupe/actor/internal/coroutine.h"

namespace troupe::internal {

// Resumes a coroutine when a number of others have ended.
//
// Example, in an await_suspend():
//
//   join_.Begin(waiter.promise(), children_.size());
//   for (OwnedCoroutine& child : children_) join_.Start(child);
//   return join_.MustWait();
//
// Ownership: the children are the caller's. Those that are destroyed before
// they end no longer count; the others may end after the wait is over.
// Thread safety: one thread at a time.
class Join {
 public:
  // `waiter` is to go on when `needed` of the coroutines to be started have
  // ended. REQUIRES: needed > 0.
  void Begin(Coroutine& waiter, size_t needed) {
    waiter_ = &waiter;
    needed_ = needed;
  }

  // Starts `child`, unless there is nothing left to wait for.
  void Start(OwnedCoroutine& child) {
    if (needed_ > 0 && child.get()->StartFor(*this)) Ended(*child.get());
  }

  // After the last Start(). False: the wait is over already.
  [[nodiscard]] bool MustWait() {
    starting_ = false;
    return needed_ > 0;
  }

  // Whether `child` ended first.
  bool IsFirst(const OwnedCoroutine& child) const {
    return child.get() == first_;
  }

  // Called for a child that was suspended when Start() returned.
  void Ended(Coroutine& child) {
    if (first_ == nullptr) first_ = &child;
    if (needed_ == 0 || --needed_ > 0 || starting_) return;
    HandOver(waiter_->handle());
  }

 private:
  Coroutine* waiter_ = nullptr;
  Coroutine* first_ = nullptr;
  size_t needed_ = 0;
  bool starting_ = true;  // Whoever ends is seen by MustWait().
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_JOIN_H_
