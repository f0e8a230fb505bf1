// What a port is apart from the type that it publishes: its subscriptions, the
// latest messages, and the line of those that publish once there is room.
#ifndef TROUPE_STREAM_INTERNAL_PORT_CORE_H_
#define TROUPE_STREAM_INTERNAL_PORT_CORE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/base/fifo.h"
#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe::internal {

// Makes of what a port publishes what a subscriber gets; null: nothing. May be
// called by several threads at once. An empty one: that itself.
using Conversion = absl::AnyInvocable<SharedBody(const SharedBody&) const>;

struct Subscriber {
  std::shared_ptr<SubscriptionCore> core;
  std::shared_ptr<const Conversion> convert;  // Null: none.
};

// One that publishes once no lossless subscription is full.
class PublishWaiter {
 public:
  PublishWaiter() = default;
  PublishWaiter(const PublishWaiter&) = delete;
  PublishWaiter& operator=(const PublishWaiter&) = delete;

 protected:
  // REQUIRES: waits no longer.
  ~PublishWaiter() = default;

 private:
  friend class PortCore;

  // Its turn has come, or the port is gone. Called once, under the port's lock:
  // it must be quick, and leave the port alone.
  virtual void OnTurn(bool granted) = 0;

  PublishWaiter* next_ = nullptr;
  PublishWaiter* previous_ = nullptr;
  bool waits_ = false;
};

// Ownership: shared by its port and those who refer to it. Closed before it is
// destroyed.
// Blocking: the lock is held for a few instructions, but for copying the list
// of subscriptions after it has changed. No user code runs under it.
// Lock order: after those of subscriptions.
// Thread safety: any thread, outside the seat; AddFull(), TakeFull() and
// RemoveLater() anywhere.
class PortCore final : public SubscriptionOwner,
                       public std::enable_shared_from_this<PortCore> {
 public:
  // Publishing one by one: at most one turn is given at a time.
  enum class Turn : uint8_t {
    kGranted,  // EndTurn() is due.
    kWaits,    // The waiter will be told.
    kRefused,  // There is no room, and no waiter.
    kClosed,
  };
  // Ends a turn that was granted, also if there is no memory to publish.
  struct EndOfTurn {
    ~EndOfTurn() { port.EndTurn(); }
    PortCore& port;
  };

  explicit PortCore(const PortOptions& options) : options_(options) {}
  PortCore(const PortCore&) = delete;
  PortCore& operator=(const PortCore&) = delete;
  ~PortCore();

  // To all that are subscribed now, without a look at whether there is room.
  void Publish(const SharedBody& body) ABSL_LOCKS_EXCLUDED(mu_);

  [[nodiscard]] Turn BeginTurn(PublishWaiter* waiter) ABSL_LOCKS_EXCLUDED(mu_);
  void EndTurn() ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the wait. True: it was not over, and the waiter will not be told.
  [[nodiscard]] bool Withdraw(PublishWaiter& waiter) ABSL_LOCKS_EXCLUDED(mu_);

  void Attach(Subscriber subscriber) ABSL_LOCKS_EXCLUDED(mu_);
  // Ends the subscriptions of an actor. Returns how many there were.
  size_t Cancel(const AnyActorRef& actor) ABSL_LOCKS_EXCLUDED(mu_);
  // Retires all subscriptions, and takes no others.
  void Close() ABSL_LOCKS_EXCLUDED(mu_);

  // What the subscriber gets of a message; null: nothing.
  static SharedBody Convert(const Subscriber& subscriber,
                            const SharedBody& body);

  size_t subscriptions() const ABSL_LOCKS_EXCLUDED(mu_);
  // In the order in which they were attached.
  std::vector<std::shared_ptr<SubscriptionCore>> Cores() const
      ABSL_LOCKS_EXCLUDED(mu_);

  // -- SubscriptionOwner: for subscriptions, which left or changed
  void Remove(const SubscriptionCore& core) override ABSL_LOCKS_EXCLUDED(mu_);
  void RemoveLater(const SubscriptionCore& core) override
      ABSL_LOCKS_EXCLUDED(mu_);
  void AddFull() override ABSL_LOCKS_EXCLUDED(mu_);
  void TakeFull() override ABSL_LOCKS_EXCLUDED(mu_);

 private:
  // Whom to publish to; never changes.
  struct Audience {
    std::vector<Subscriber> subscribers;
    uint32_t unconverted = 0;
  };
  using AudiencePtr = std::shared_ptr<const Audience>;
  // What is to be destroyed without the lock.
  struct Garbage {
    std::vector<Subscriber> subscribers;
    std::vector<AudiencePtr> audiences;
  };

  AudiencePtr CurrentAudience() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Takes it out, and puts it to the garbage.
  void TakeOut(const SubscriptionCore& core, Garbage& garbage)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Gives the turn to who waits for it, if it is free and there is room.
  void GiveTurn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void TakeFromLine(PublishWaiter& waiter) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const PortOptions options_;

  mutable absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  uint64_t next_serial_ ABSL_GUARDED_BY(mu_) = 0;
  absl::btree_map<uint64_t, Subscriber> subscribers_ ABSL_GUARDED_BY(mu_);
  AudiencePtr audience_ ABSL_GUARDED_BY(mu_);  // Null: to be made anew.
  Fifo<SharedBody> kept_ ABSL_GUARDED_BY(mu_);
  // Goes with the next change or message.
  Garbage garbage_ ABSL_GUARDED_BY(mu_);

  uint32_t full_ ABSL_GUARDED_BY(mu_) = 0;
  bool turn_taken_ ABSL_GUARDED_BY(mu_) = false;
  PublishWaiter* first_waiter_ ABSL_GUARDED_BY(mu_) = nullptr;
  PublishWaiter* last_waiter_ ABSL_GUARDED_BY(mu_) = nullptr;
};

}  // namespace troupe::internal

#endif  // TROUPE_STREAM_INTERNAL_PORT_CORE_H_
