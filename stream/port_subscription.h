// A PortSubscription keeps an actor subscribed to a port, and tells how it
// fares.
//
//   PortSubscription prices = port.Subscribe(self());
//   ...
//   prices.Unsubscribe();  // Or let it go.
//
// After Unsubscribe() the actor gets nothing more of it, also nothing that is
// under way: at once, if the actor itself has called it; else but for what it
// has begun to handle.
//
// Ownership: move-only; of the subscription. It may outlive port and actor.
// Thread safety: a value; any thread.
#ifndef TROUPE_STREAM_PORT_SUBSCRIPTION_H_
#define TROUPE_STREAM_PORT_SUBSCRIPTION_H_

#include <memory>
#include <utility>

#include "troupe/stream/internal/subscription_core.h"
#include "troupe/stream/subscribe_options.h"

namespace troupe {

class [[nodiscard]] PortSubscription {
 public:
  // Of nothing.
  PortSubscription() = default;
  PortSubscription(PortSubscription&&) noexcept = default;
  PortSubscription& operator=(PortSubscription&& other) noexcept {
    PortSubscription taken(std::move(other));
    core_.swap(taken.core_);
    return *this;
  }
  ~PortSubscription() { Unsubscribe(); }

  // Whether it will get what is published: neither it nor its port nor its
  // actor has ended.
  bool is_active() const { return core_ != nullptr && core_->stats().active; }
  SubscriptionStats stats() const {
    return core_ != nullptr ? core_->stats() : SubscriptionStats();
  }

  void Unsubscribe() {
    if (core_ != nullptr) std::exchange(core_, nullptr)->Cancel();
  }
  // Leaves it subscribed for as long as port and actor live.
  void Detach() && { core_ = nullptr; }

  // For the runtime.
  explicit PortSubscription(std::shared_ptr<internal::SubscriptionCore> core)
      : core_(std::move(core)) {}

 private:
  std::shared_ptr<internal::SubscriptionCore> core_;
};

}  // namespace troupe

#endif  // TROUPE_STREAM_PORT_SUBSCRIPTION_H_
