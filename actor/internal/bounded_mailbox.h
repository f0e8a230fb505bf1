// What an actor with a bounded mailbox has beside its cell: the queue that
// stands for the normal lane.
//
// Its owner never shows a current tag for such a cell, so every sender comes by
// the slow way, which knows of the queue. Who makes an empty queue non-empty
// rings: on the owner's worker by a bit of the attention, elsewhere by a
// MailWaits signal.
//
// Ownership: type-stable memory of the process, like cells: a sender that comes
// late finds a queue that is closed, or one that takes nothing for its target.
// Thread safety: Take() and Return() any thread; see BoundedQueue for the rest.
#ifndef TROUPE_ACTOR_INTERNAL_BOUNDED_MAILBOX_H_
#define TROUPE_ACTOR_INTERNAL_BOUNDED_MAILBOX_H_

#include <atomic>
#include <memory>

#include "troupe/mailbox/bounded_queue.h"
#include "troupe/mailbox/capacity.h"

namespace troupe::internal {

struct ActorType;

struct BoundedMailbox {
  BoundedQueue queue;
  // Relaxed: written before the cell's mailbox word is opened, read after it.
  std::atomic<const ActorType*> type{nullptr};
  BoundedMailbox* next_free = nullptr;  // The pool's.

  // Closed. Throws std::bad_alloc.
  static BoundedMailbox& Take();
  // REQUIRES: closed.
  static void Return(BoundedMailbox& mailbox);
};

struct BoundedMailboxReturner {
  void operator()(BoundedMailbox* mailbox) const {
    BoundedMailbox::Return(*mailbox);
  }
};
using BoundedMailboxPtr =
    std::unique_ptr<BoundedMailbox, BoundedMailboxReturner>;

inline bool IsBounded(const Capacity& capacity) {
  return capacity.messages != Capacity::kUnlimited ||
         capacity.bytes != Capacity::kUnlimited;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_BOUNDED_MAILBOX_H_
