// How a subscriber wants what a port publishes: whether it may miss some of it,
// how far it may lag, and where it begins.
#ifndef TROUPE_STREAM_SUBSCRIBE_OPTIONS_H_
#define TROUPE_STREAM_SUBSCRIBE_OPTIONS_H_

#include <cstdint>

namespace troupe {

// What a subscription does with more than its subscriber keeps up with.
enum class Lag : uint8_t {
  kLossless,    // Keeps all, and lets publishers wait that are willing to.
  kDropOldest,  // Drops what has waited longest.
  kDropNewest,  // Drops what comes.
  kConflate,    // Keeps the latest only.
};

struct SubscribeOptions {
  Lag lag = Lag::kLossless;
  // How many messages wait that the subscriber has not begun to handle, 1 or
  // more. kLossless: at so many the publisher waits, if it does; one that does
  // not can bring more. kConflate: 1, whatever this says.
  uint32_t limit = 1024;
  // So many of those that were published before come first, as far as the port
  // keeps them (PortOptions).
  uint32_t replay = 0;
  // Takes the place of what the same actor has subscribed to the port before.
  // What was published until now reaches it by the old subscriptions still.
  bool replaces = false;
};

struct PortOptions {
  // How many of the latest messages are kept for those that subscribe later.
  uint32_t keeps = 0;
};

// How a subscription has fared. A snapshot.
struct SubscriptionStats {
  uint64_t waiting = 0;    // The lag: not begun to be handled.
  uint64_t delivered = 0;  // Begun to be handled.
  uint64_t dropped = 0;    // By Lag, or because a conversion threw.
  bool active = false;     // Gets what will be published.

  friend bool operator==(const SubscriptionStats&,
                         const SubscriptionStats&) = default;
};

}  // namespace troupe

#endif  // TROUPE_STREAM_SUBSCRIBE_OPTIONS_H_
