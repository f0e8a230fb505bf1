// A plain thread that waits for one reply.
//
//   const BlockedThread::Ptr thread = BlockedThread::Make();
//   ...BlockedThread::RouteTo(thread)...
//   if (executor.WaitFor(thread->answered(), deadline)) thread->TakeReply();
//
// Ownership: shared by the thread and its one route, which ends with the reply:
// that may come when the thread has long gone on.
// Thread safety: Take() by whoever answers; the rest by the thread.
#ifndef TROUPE_ACTOR_INTERNAL_BLOCKED_THREAD_H_
#define TROUPE_ACTOR_INTERNAL_BLOCKED_THREAD_H_

#include <atomic>
#include <memory>
#include <utility>

#include "troupe/actor/internal/frame_memory.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/event.h"

namespace troupe::internal {

class BlockedThread final : public ReplySink, public FrameMemory {
 private:
  struct Leaver {
    void operator()(BlockedThread* thread) const { thread->Leave(); }
  };

 public:
  using Ptr = std::unique_ptr<BlockedThread, Leaver>;

  static Ptr Make() { return Ptr(new BlockedThread); }
  // A route that leads here, once.
  static ReplyRoute RouteTo(const Ptr& thread) {
    // Relaxed: nobody else knows of it yet.
    thread->users_.store(2, std::memory_order_relaxed);
    return ReplyRoute::To(*thread);
  }

  void Take(EnvelopePtr reply) override {
    reply_ = std::move(reply);
    answered_.Set();
    Leave();
  }

  Event& answered() { return answered_; }
  // REQUIRES: answered.
  EnvelopePtr TakeReply() { return std::move(reply_); }

 private:
  BlockedThread() = default;
  ~BlockedThread() = default;

  // Release pairs with the acquire of the other's: who deletes it sees all that
  // the other did.
  void Leave() {
    if (users_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

  EnvelopePtr reply_;  // Written before the event is set.
  Event answered_;
  std::atomic<int> users_{1};
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_BLOCKED_THREAD_H_
