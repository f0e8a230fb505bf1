// Ports with subscribers on all nodes (clause 37).
//
// Invariants:
//   subscribers get what was published  in order, nothing twice, with no gap if
//                                       it is lossless, and the latest at rest
//   subscriptions last as long as both  and as their session
//   ports are bounded                   by what subscribers ask for
#ifndef TROUPE_TESTING_SWARM_CLUSTER_READERS_H_
#define TROUPE_TESTING_SWARM_CLUSTER_READERS_H_

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/stream/port_subscription.h"
#include "troupe/stream/subscribe_options.h"
#include "troupe/testing/swarm/cluster/journal.h"
#include "troupe/testing/swarm/cluster/lives.h"
#include "troupe/testing/swarm/cluster/rules.h"
#include "troupe/testing/swarm/cluster/sessions.h"

namespace troupe::cluster_swarm {

class Readers {
 public:
  // `in_bounds`: who publishes, waits for room or goes without it.
  Readers(Journal& journal, Lives& lives, Sessions& sessions,
          const Rules& rules, bool in_bounds)
      : journal_(journal),
        lives_(lives),
        sessions_(sessions),
        rules_(rules),
        in_bounds_(in_bounds) {}

  // -- at the port

  // The number of what `publisher` publishes.
  uint32_t Publishes(Number publisher, bool waited) {
    return ++published_[{publisher, waited}];
  }
  // It has not: there was no room. `at_rest`: there must be.
  void FoundNoRoom(Number publisher, bool at_rest);
  // How its subscriptions fare, all of which have this limit.
  void CheckPort(Number publisher, const std::vector<SubscriptionStats>& stats,
                 uint32_t limit) const;

  // -- at the subscriber

  // The number of the subscription; `surely`: nothing refuses the request.
  uint32_t Subscribes(Number subscriber, Number publisher,
                      const SubscribeOptions& options, bool surely);
  // What it is kept by, from now on.
  void Keeps(uint32_t subscription, const PortSubscription& kept) {
    Get(subscription).kept = &kept;
  }
  // The subscriber has ended it, or is gone.
  void Unsubscribes(uint32_t subscription);
  // The subscriber handles something that was published.
  void Told(uint32_t subscription, Number who, Number publisher, bool waited,
            uint32_t number);

  bool any() const { return !subscriptions_.empty(); }
  // `rung`: everybody has published something since all was at rest.
  void CheckAtRest(bool rung) const;

 private:
  struct Subscription {
    Number subscriber;
    Number publisher;
    SubscribeOptions options;
    bool surely;
    Epoch epoch;
    const PortSubscription* kept = nullptr;  // Null: it is over.
    uint64_t told = 0;
    std::pair<uint32_t, uint32_t> last = {};  // Not waited for, and waited for.
  };

  Subscription& Get(uint32_t subscription) {
    return subscriptions_[subscription - 1];
  }
  void Break(const Subscription& of, std::string_view how) const;

  Journal& journal_;
  Lives& lives_;
  Sessions& sessions_;
  const Rules& rules_;
  const bool in_bounds_;
  std::vector<Subscription> subscriptions_;
  std::map<std::pair<Number, bool>, uint32_t> published_;
};

}  // namespace troupe::cluster_swarm

#endif  // TROUPE_TESTING_SWARM_CLUSTER_READERS_H_
