// What an actor has set aside, in all its stashes (stash.h), and what it has
// just got back of that.
//
// Thread safety: as HandlerState, which owns it.
#ifndef TROUPE_ACTOR_INTERNAL_STASHES_H_
#define TROUPE_ACTOR_INTERNAL_STASHES_H_

#include <cstddef>

#include "troupe/actor/internal/reply.h"
#include "troupe/actor/stash.h"
#include "troupe/base/check.h"
#include "troupe/base/clock.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/mailbox/envelope_list.h"
#include "troupe/mailbox/lanes.h"

namespace troupe::internal {

// Marks a request that was given up: it is dropped instead of being handled.
inline void Expire(Envelope& request) {
  InfoOf(request).Cancel();
  InfoOf(request).deadline = MonotonicTime::InfinitePast();
}

class Stashes {
 public:
  Stashes() = default;
  Stashes(const Stashes&) = delete;
  Stashes& operator=(const Stashes&) = delete;
  ~Stashes() {
    TROUPE_DCHECK(first_ == nullptr && returned_.empty(),
                  "what an actor has set aside is taken when it ends");
  }

  // How much is set aside.
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // All that is set aside; not what came back and has not been returned yet.
  template <typename F>
  void ForEach(F&& f) const {
    for (StashBase* stash = first_; stash != nullptr; stash = stash->next_) {
      Envelope* envelope = stash->messages_.first();
      for (size_t i = 0; i < stash->size_; ++i) {
        f(*envelope);
        envelope = envelope->next;
      }
    }
  }

  // Sets one more aside.
  void Add(StashBase& stash, Envelope* envelope);
  // All of a stash comes back, at the next Return(). REQUIRES: not empty.
  void GiveBack(StashBase& stash);

  // Puts what came back before what waits. In the seat. False: nothing did.
  bool Return(Lanes& lanes) {
    if (returned_.empty()) return false;
    lanes.Prepend(returned_);
    return true;
  }
  // Empties all.
  EnvelopeRing TakeAll();

 private:
  StashBase* first_ = nullptr;  // Of those that are not empty.
  size_t size_ = 0;             // In all of them.
  EnvelopeRing returned_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_STASHES_H_
