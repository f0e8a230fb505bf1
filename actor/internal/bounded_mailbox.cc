#include "troupe/actor/internal/bounded_mailbox.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace troupe::internal {
namespace {

class FreeList {
 public:
  static FreeList& Get() {
    // Never destroyed: senders may come later than everything else.
    static FreeList* const list = new FreeList;
    return *list;
  }

  // Null if empty.
  BoundedMailbox* Take() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    if (first_ == nullptr) return nullptr;
    return std::exchange(first_, first_->next_free);
  }

  void Return(BoundedMailbox& mailbox) ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    mailbox.next_free = std::exchange(first_, &mailbox);
  }

 private:
  absl::Mutex mu_;
  BoundedMailbox* first_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace

BoundedMailbox& BoundedMailbox::Take() {
  BoundedMailbox* const used = FreeList::Get().Take();
  return used != nullptr ? *used : *new BoundedMailbox;
}

void BoundedMailbox::Return(BoundedMailbox& mailbox) {
  FreeList::Get().Return(mailbox);
}

}  // namespace troupe::internal
