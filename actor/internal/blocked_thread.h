// A plain thread that waits for one reply.
//
//   const BlockedThreadPtr thread(new BlockedThread);
//   ...thread->route()...
//   if (executor.WaitFor(thread->answered(), deadline)) thread->TakeReply();
//
// Ownership: shared by the thread and the route, which must be answered: the
// reply may come when the thread has long gone on.
// Thread safety: Take() by whoever answers; the rest by the thread.
#ifndef TROUPE_ACTOR_INTERNAL_BLOCKED_THREAD_H_
#define TROUPE_ACTOR_INTERNAL_BLOCKED_THREAD_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "troupe/actor/internal/frame_memory.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/event.h"

namespace troupe::internal {

// For the routes of sinks.
inline uint64_t NewSinkNumber() {
  static constinit std::atomic<uint64_t> next{1};
  // Relaxed: only that it is unique counts.
  return next.fetch_add(1, std::memory_order_relaxed);
}

class BlockedThread final : public ReplySink, public FrameMemory {
 public:
  // Leads here, once; to be kept by who may cancel the call.
  ReplyRoute route() { return ReplyRoute::To(*this, NewSinkNumber()); }

  void Take(EnvelopePtr reply) override {
    reply_ = std::move(reply);
    answered_.Set();
    Leave();
  }

  Event& answered() { return answered_; }
  // REQUIRES: answered.
  EnvelopePtr TakeReply() { return std::move(reply_); }

  // By each of the two, once; the last one deletes it.
  void Leave() {
    // Release pairs with the acquire of the other's: who deletes sees all that
    // the other did.
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  ~BlockedThread() = default;

  EnvelopePtr reply_;  // Written before the event is set.
  Event answered_;
  std::atomic<int> users_{2};
};

struct LeaveBlockedThread {
  void operator()(BlockedThread* thread) const { thread->Leave(); }
};
using BlockedThreadPtr = std::unique_ptr<BlockedThread, LeaveBlockedThread>;

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_BLOCKED_THREAD_H_
