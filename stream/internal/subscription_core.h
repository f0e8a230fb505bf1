// One subscription to a port: what is under way to one actor, and how much of
// it.
//
// Lossless: each message goes to the actor's mailbox at once, in an envelope of
// its own, so that it keeps its place among what the publisher sends there
// besides. Otherwise messages wait here, and one envelope in the mailbox, which
// stands for all of them, takes the oldest out when its turn comes, and then
// goes to the mailbox's end again if there are more. So what is dropped is
// dropped exactly.
//
// If the actor is on another node, what is said of its mailbox is true of the
// outbox of that node, and there is another subscription behind it, there, with
// the same options: see cluster/internal/port_exchange.h. What a lossless one
// has sent is under way until the other one says that it was taken.
#ifndef TROUPE_STREAM_INTERNAL_SUBSCRIPTION_CORE_H_
#define TROUPE_STREAM_INTERNAL_SUBSCRIPTION_CORE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/base/fifo.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe::internal {

class SubscriptionCore;

// What a subscription belongs to: its port, or what stands for a port on
// another node.
//
// Thread safety: any thread; AddFull(), TakeFull(), RemoveLater() and OnTaken()
// anywhere, under the lock of the subscription.
class SubscriptionOwner {
 public:
  // It has left.
  virtual void Remove(const SubscriptionCore& core) = 0;
  // The same where nothing of a user's may be destroyed.
  virtual void RemoveLater(const SubscriptionCore& core) = 0;
  // One more is full, or one less.
  virtual void AddFull() = 0;
  virtual void TakeFull() = 0;
  // Whether it hears of each message of a lossless one that waits no more.
  virtual bool CountsTaken() const { return false; }
  virtual void OnTaken() {}

 protected:
  ~SubscriptionOwner() = default;
};

// The other end of a subscription whose actor is on another node.
//
// Thread safety: anywhere, under the lock of the subscription.
class FarEnd {
 public:
  virtual ~FarEnd() = default;
  // Nothing more comes, behind what is under way; that is not wanted any more,
  // if it was cancelled.
  virtual void OnLeft(bool cancelled) = 0;
};

// Goes from new to live to one of the other states, once.
//
// Ownership: lives for as long as it is live, or messages are under way.
// Blocking: the lock is held for a few instructions. No user code runs, nothing
// is sent and nothing of a user's is destroyed under it.
// Lock order: before the port's.
// Thread safety: any thread, outside the seat; OnActorEnded() anywhere.
class SubscriptionCore final
    : public MessageSource,
      public std::enable_shared_from_this<SubscriptionCore> {
 public:
  // For a port that publishes what has type `type` for the actor. REQUIRES:
  // options.limit > 0.
  SubscriptionCore(const AnyActorRef& actor, const SharedMessageType& type,
                   const SubscribeOptions& options);

  const AnyActorRef& actor() const { return actor_; }
  const SubscribeOptions& options() const { return options_; }
  bool is_live() const ABSL_LOCKS_EXCLUDED(mu_);
  // Whether a publisher that waits for others waits for this one.
  bool is_full() const ABSL_LOCKS_EXCLUDED(mu_);
  SubscriptionStats stats() const ABSL_LOCKS_EXCLUDED(mu_);

  // -- its beginning ---------------------------------------------------------

  // Belongs to `owner` from now on; what it is offered is held until EndHold().
  // False: it was cancelled before.
  [[nodiscard]] bool Begin(const std::shared_ptr<SubscriptionOwner>& owner)
      ABSL_LOCKS_EXCLUDED(mu_);
  // What it is to have before anything that was offered.
  void EndHold(std::vector<SharedBody> replayed) ABSL_LOCKS_EXCLUDED(mu_);
  // Has OnActorEnded() called when the actor has ended; does nothing if the
  // other end says so, where the actor is.
  void WatchEnd() ABSL_LOCKS_EXCLUDED(mu_);

  // -- while it is live; without effect otherwise ----------------------------

  // `is_promised`: others have it, and it must not be missing here alone. Else
  // it throws std::bad_alloc if there is no memory, and nothing is offered.
  void Offer(SharedBody body, bool is_promised = false)
      ABSL_LOCKS_EXCLUDED(mu_);
  // A message for it could not be had.
  void CountDropped() ABSL_LOCKS_EXCLUDED(mu_);

  // -- its end ---------------------------------------------------------------

  // Nothing more is delivered, also nothing that is under way.
  void Cancel() ABSL_LOCKS_EXCLUDED(mu_);
  // Nothing more is offered; what is under way is delivered.
  void Retire() ABSL_LOCKS_EXCLUDED(mu_);
  void OnActorEnded() ABSL_LOCKS_EXCLUDED(mu_);

  // -- envelopes
  SharedBody Arrive(SharedBody body) override ABSL_LOCKS_EXCLUDED(mu_);
  uint32_t Lose() override ABSL_LOCKS_EXCLUDED(mu_);

  // -- if the actor is on another node

  // Tells of its end there.
  void SetFarEnd(std::unique_ptr<FarEnd> end) ABSL_LOCKS_EXCLUDED(mu_);
  // So many messages of a lossless one were taken there.
  void Acknowledge(uint64_t messages) ABSL_LOCKS_EXCLUDED(mu_);

  // The port's: its place there, guarded by its lock.
  uint64_t serial = 0;

 private:
  class EndWatch;
  enum class State : uint8_t { kNew, kLive, kRetired, kCancelled, kEnded };

  bool is_lossless() const { return options_.lag == Lag::kLossless; }
  // Whether what it sends is taken only once the other node says so.
  bool is_acknowledged() const { return is_lossless() && actor_.IsRemote(); }

  // Takes a message, or drops one. Returns what is to be sent to the actor, if
  // anything is; `dropped` is to be destroyed without the lock.
  Envelope* Admit(SharedBody body, SharedBody& dropped)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AdmitAndSend(SharedBody body) ABSL_LOCKS_EXCLUDED(mu_);
  // Counts one envelope of a lossless subscription, or one less.
  void AddUnderWay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeUnderWay() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Goes from live to `state`. Returns the port that it leaves; null: it was
  // not live.
  std::shared_ptr<SubscriptionOwner> Leave(State state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // If nothing needs it any more: what kept it alive, to be let go without the
  // lock.
  std::shared_ptr<SubscriptionCore> LetGo() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Sends what Admit() returned.
  void Send(Envelope* envelope) ABSL_LOCKS_EXCLUDED(mu_);

  const AnyActorRef actor_;
  const SharedMessageType& type_;
  const SubscribeOptions options_;

  mutable absl::Mutex mu_;
  State state_ ABSL_GUARDED_BY(mu_) = State::kNew;
  bool holds_ ABSL_GUARDED_BY(mu_) = false;
  bool counts_taken_ ABSL_GUARDED_BY(mu_) = false;  // By its owner.
  // Of a lossless one: messages; else whether there is an envelope.
  uint32_t under_way_ ABSL_GUARDED_BY(mu_) = 0;
  Fifo<SharedBody> waiting_ ABSL_GUARDED_BY(mu_);
  // Offered while it holds.
  Fifo<SharedBody> held_ ABSL_GUARDED_BY(mu_);
  uint64_t delivered_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mu_) = 0;
  // Of those under way: sent to another node, which has not taken them.
  uint32_t sent_ ABSL_GUARDED_BY(mu_) = 0;
  std::unique_ptr<FarEnd> far_end_ ABSL_GUARDED_BY(mu_);
  std::weak_ptr<SubscriptionOwner> owner_ ABSL_GUARDED_BY(mu_);
  std::shared_ptr<SubscriptionCore> self_ ABSL_GUARDED_BY(mu_);
  // Where the actor tells its end, if it is to.
  ReplyRoute end_route_ ABSL_GUARDED_BY(mu_);
};

}  // namespace troupe::internal

#endif  // TROUPE_STREAM_INTERNAL_SUBSCRIPTION_CORE_H_
