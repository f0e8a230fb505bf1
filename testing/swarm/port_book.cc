#include "troupe/testing/swarm/port_book.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::swarm {

uint32_t PortBook::Subscribed(Number subscriber, size_t port, Lag lag,
                              uint32_t replay) {
  if (busy_++ > 0) together_ = true;
  const size_t published = all_[port].size();
  subscriptions_.push_back(
      {.subscriber = subscriber,
       .port = port,
       .lag = lag,
       .next = published - std::min<size_t>(replay, published)});
  const uint32_t subscription =
      static_cast<uint32_t>(subscriptions_.size() - 1);
  journal_.Note(What::kSubscribes, subscriber, 0, subscription);
  return subscription;
}

uint32_t PortBook::Published(Number publisher, size_t port, bool later) {
  if (later || busy_ > 0) together_ = true;
  if (!later) ++busy_;
  journal_.Note(What::kPublishes, publisher, 0, ++published_);
  all_[port].push_back(published_);
  return published_;
}

void PortBook::Offered(uint32_t subscription, uint32_t number) {
  Subscription& entry = subscriptions_[subscription];
  ++entry.offered;
  entry.latest = number;
  if (together_) return;
  const std::vector<uint32_t>& all = all_[entry.port];
  if (entry.next == all.size() || all[entry.next] != number) {
    Break(subscription, "it begins where it is to, with no gap");
  }
  ++entry.next;
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
  // A lossless one keeps the order of each publisher's messages to it.
  if (number <= last ||
      (entry.lag != Lag::kLossless && !together_ && number <= entry.last)) {
    Break(subscription, "it keeps the order");
  }
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
  if (!together_ && entry.next != all_[entry.port].size()) {
    Break(subscription, "it is offered all that is published");
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
