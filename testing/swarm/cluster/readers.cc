#include "troupe/testing/swarm/cluster/readers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace troupe::cluster_swarm {
namespace {

constexpr std::string_view kGets = "subscribers get what was published";
constexpr std::string_view kLasts = "subscriptions last as long as both";
constexpr std::string_view kBounds = "ports are bounded";

// Of what waits for the subscriber. What is replayed is not refused.
uint32_t BoundOf(const SubscribeOptions& options) {
  switch (options.lag) {
    case Lag::kConflate:
      return 1;
    case Lag::kLossless:
      return std::max(options.limit, options.replay);
    default:
      return options.limit;
  }
}

}  // namespace

// -- at the port

void Readers::FoundNoRoom(Number publisher, bool at_rest) {
  --published_[{publisher, false}];
  journal_.Note("has no room to publish", publisher);
  if (at_rest) {
    journal_.Break(kBounds, absl::StrCat("a subscriber of #", publisher,
                                         " has no room at rest"));
  }
}

void Readers::CheckPort(Number publisher,
                        const std::vector<SubscriptionStats>& stats,
                        uint32_t limit) const {
  if (!in_bounds_) return;
  for (const SubscriptionStats& one : stats) {
    if (one.waiting <= limit) continue;
    journal_.Break(kBounds, absl::StrCat(one.waiting, " wait at #", publisher,
                                         ", of at most ", limit));
  }
}

// -- at the subscriber

uint32_t Readers::Subscribes(Number subscriber, Number publisher,
                             const SubscribeOptions& options, bool surely) {
  const Epoch epoch = lives_.EpochOf(subscriber, publisher);
  subscriptions_.push_back(
      {.subscriber = subscriber,
       .publisher = publisher,
       .options = options,
       .surely = surely && rules_.SurelyMay(lives_.run(subscriber), Verb::kSend,
                                            publisher),
       .epoch = epoch});
  const uint32_t number = static_cast<uint32_t>(subscriptions_.size());
  journal_.Note("subscribes to", subscriber, publisher, number);
  return number;
}

void Readers::Unsubscribes(uint32_t subscription) {
  Subscription& entry = Get(subscription);
  journal_.Note("unsubscribes from", entry.subscriber, entry.publisher,
                subscription);
  entry.kept = nullptr;
}

void Readers::Told(uint32_t subscription, Number who, Number publisher,
                   bool waited, uint32_t number) {
  if (!lives_.counts(who)) return;
  Subscription& entry = Get(subscription);
  journal_.Note("is told, by a port of", who, publisher, number);
  if (who != entry.subscriber || publisher != entry.publisher) {
    journal_.Break(kReachesNoOther, "what is published reaches another one");
  }
  if (!rules_.May(lives_.run(who), Verb::kSend, publisher)) {
    journal_.Break(Rules::kNoTrace,
                   absl::StrCat("#", who, " has subscribed to #", publisher));
  }
  if (entry.kept == nullptr) {
    Break(entry, "nothing arrives once it was ended");
    return;
  }
  uint32_t& last = waited ? entry.last.second : entry.last.first;
  if (number <= last) Break(entry, "it keeps the order");
  if (number > published_[{publisher, waited}]) {
    Break(entry, "nobody has published that");
  }
  if (!waited && entry.options.lag == Lag::kLossless && last != 0 &&
      number != last + 1) {
    Break(entry, "a lossless one has no gaps");
  }
  last = number;
  ++entry.told;
  if ((in_bounds_ || entry.options.lag != Lag::kLossless) &&
      entry.kept->stats().waiting > BoundOf(entry.options)) {
    journal_.Break(
        kBounds, absl::StrCat(entry.kept->stats().waiting, " wait for #", who));
  }
}

void Readers::CheckAtRest(bool rung) const {
  for (const Subscription& entry : subscriptions_) {
    if (entry.kept == nullptr || !lives_.is_alive(entry.subscriber)) continue;
    const SubscriptionStats stats = entry.kept->stats();
    const NodeRun run = lives_.run(entry.subscriber);
    const NodeRun peer = lives_.run(entry.publisher);
    if (stats.waiting != 0) Break(entry, "at rest nothing waits");
    if (stats.delivered != entry.told)
      Break(entry, "it counts what it delivers");
    const bool may_last = lives_.is_alive(entry.publisher) &&
                          sessions_.MayHaveLasted(run, peer, entry.epoch) &&
                          rules_.May(run, Verb::kSend, entry.publisher);
    const bool must_last =
        may_last && entry.surely && sessions_.Lasted(run, peer, entry.epoch);
    if (stats.active ? !may_last : must_last) {
      journal_.Break(kLasts,
                     absl::StrCat("the subscription of #", entry.subscriber,
                                  " to #", entry.publisher, " is ",
                                  stats.active ? "active" : "over"));
    }
    if (!rung || !stats.active || entry.options.lag == Lag::kDropNewest) {
      continue;
    }
    const auto published = published_.find({entry.publisher, false});
    if (published == published_.end() ||
        published->second != entry.last.first) {
      Break(entry, "it gets the latest");
    }
  }
}

void Readers::Break(const Subscription& of, std::string_view how) const {
  journal_.Break(kGets,
                 absl::StrCat("#", of.subscriber, " of #", of.publisher, ": ",
                              absl::string_view(how.data(), how.size())));
}

}  // namespace troupe::cluster_swarm
