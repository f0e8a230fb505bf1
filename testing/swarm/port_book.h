// Invariant "subscribers get what was published" (§37): from where they begin,
// what was kept included, with no gap and nothing twice, in order, all of it if
// the subscription is lossless, none of it once that was ended, and the latest
// if it conflates; what is dropped is counted.
#ifndef TROUPE_TESTING_SWARM_PORT_BOOK_H_
#define TROUPE_TESTING_SWARM_PORT_BOOK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/stream/subscribe_options.h"
#include "troupe/testing/swarm/journal.h"
#include "troupe/testing/swarm/lives.h"

namespace troupe::swarm {

class PortBook {
 public:
  static constexpr std::string_view kName =
      "subscribers get what was published";
  static constexpr size_t kPorts = 2;

  PortBook(Journal& journal, const Lives& lives)
      : journal_(journal), lives_(lives), subscriptions_(1) {}

  // Of at most `replay` of those that the port keeps. It takes effect before
  // SubscribeEnds().
  uint32_t Subscribed(Number subscriber, size_t port, Lag lag, uint32_t replay);
  void SubscribeEnds() { --busy_; }
  // Something is published, now or when there is room; its number, which is
  // higher than those before.
  uint32_t Published(Number publisher, size_t port, bool later);
  void PublishEnds() { --busy_; }
  // It is converted for the subscription.
  void Offered(uint32_t subscription, uint32_t number);
  void Told(uint32_t subscription, Number by, Number publisher, uint32_t number,
            bool when_ready);
  // By the subscriber.
  void Unsubscribed(uint32_t subscription);
  // At rest, of one whose subscriber lives.
  void CheckAtRest(uint32_t subscription, const SubscriptionStats& stats);

 private:
  struct Subscription {
    Number subscriber = 0;
    size_t port = 0;
    Lag lag = Lag::kLossless;
    size_t next = 0;  // Of what the port publishes, what is to be offered.
    uint64_t offered = 0;
    uint64_t told = 0;
    uint32_t latest = 0;  // That was offered.
    uint32_t last = 0;    // That was told.
    bool over = false;
  };

  void Break(uint32_t subscription, std::string_view rule);

  Journal& journal_;
  const Lives& lives_;
  std::vector<Subscription> subscriptions_;
  // By subscription, publisher and way: the last that was told.
  absl::flat_hash_map<uint64_t, uint32_t> told_;
  uint32_t published_ = 0;
  std::array<std::vector<uint32_t>, kPorts> all_;  // In order.
  int busy_ = 0;  // Who publishes or subscribes just now.
  // Two have done so at the same time: nobody knows who came first.
  bool together_ = false;
};

}  // namespace troupe::swarm

#endif  // TROUPE_TESTING_SWARM_PORT_BOOK_H_
