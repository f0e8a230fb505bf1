#include "troupe/testing/swarm/port_book.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::swarm {

uint32_t PortBook::Subscribed(Number subscriber, Lag lag) {
  subscriptions_.push_back({.subscriber = subscriber, .lag = lag});
  const uint32_t subscription =
      static_cast<uint32_t>(subscriptions_.size() - 1);
  journal_.Note(What::kSubscribes, subscriber, 0, subscription);
  return subscription;
}

uint32_t PortBook::Published(Number publisher, bool later) {
  if (later || publishing_ > 0) together_ = true;
  if (!later) ++publishing_;
  journal_.Note(What::kPublishes, publisher, 0, ++published_);
  return published_;
}

void PortBook::Told(uint32_t subscription, Number by, Number publisher,
                    uint32_t number, bool when_ready) {
  Subscription& entry = subscriptions_[subscription];
  journal_.Note(What::kHearsNews, by, publisher, number);
  if (by != entry.subscriber) Break(subscription, "it is its subscriber's");
  if (entry.over) {
    Break(subscription, "nothing arrives once it was ended");
  }
  uint32_t& last = told_[uint64_t{subscription} << 32 | publisher << 1 |
                         (when_ready ? 1 : 0)];
  if (number <= last) Break(subscription, "it keeps the order");
  last = number;
  ++entry.told;
  entry.last = number;
}

void PortBook::Unsubscribed(uint32_t subscription) {
  subscriptions_[subscription].over = true;
  journal_.Note(What::kUnsubscribes, subscriptions_[subscription].subscriber, 0,
                subscription);
}

void PortBook::CheckAtRest(uint32_t subscription,
                           const SubscriptionStats& stats) {
  const Subscription& entry = subscriptions_[subscription];
  if (entry.over || !lives_.is_alive(entry.subscriber)) return;
  if (stats.waiting != 0) Break(subscription, "at rest nothing waits");
  if (stats.delivered != entry.told) {
    Break(subscription, "it counts what it delivers");
  }
  if (entry.told + stats.dropped != entry.offered) {
    Break(subscription, "what it does not deliver it drops, and counts");
  }
  if (entry.lag == Lag::kLossless && entry.told != entry.offered) {
    Break(subscription, "a lossless one loses nothing");
  }
  // Of two at the same time nobody knows which is the latest.
  if (entry.lag == Lag::kConflate && !together_ && entry.last != entry.latest) {
    Break(subscription, "one that conflates has the latest");
  }
}

void PortBook::Break(uint32_t subscription, std::string_view rule) {
  journal_.Break(kName,
                 absl::StrCat("subscription ", subscription, " of #",
                              subscriptions_[subscription].subscriber, ": ",
                              absl::string_view(rule.data(), rule.size())));
}

}  // namespace troupe::swarm
