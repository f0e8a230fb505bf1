// What nodes say to each other of subscriptions to ports: items of the data
// lane. P has the port, S the subscriber.
//
//   P -> S  kPortOpen       this is what was asked for, or one that was not
//   P -> S  kPublished      a message
//   S -> P  kPortTaken      so many of a lossless one wait no more
//   P -> S  kPortEnd        nothing more comes
//   S -> P  kPortLeft       nothing more is wanted
//
// P numbers them. What S asks for, by a Subscribe<T>, has a token of S's.
#ifndef TROUPE_CLUSTER_INTERNAL_PORT_ITEMS_H_
#define TROUPE_CLUSTER_INTERNAL_PORT_ITEMS_H_

#include <cstdint>

#include "troupe/cluster/internal/items.h"

namespace troupe::internal {

struct PortOpenItem {
  static constexpr ItemKind kKind = ItemKind::kPortOpen;
  uint64_t number = 0;
  uint64_t token = 0;  // 0: none; then the rest says who subscribes, and how.
  uint64_t to = 0;
  uint8_t lag = 0;
  uint32_t limit = 0;
};
// Ends with the message.
struct PublishedHead {
  static constexpr ItemKind kKind = ItemKind::kPublished;
  uint64_t number = 0;
  uint64_t type = 0;
};
// The message that was published last in this frame, for another subscription.
struct PublishedAgainItem {
  static constexpr ItemKind kKind = ItemKind::kPublishedAgain;
  uint64_t number = 0;
};
struct PortTakenItem {
  static constexpr ItemKind kKind = ItemKind::kPortTaken;
  uint64_t number = 0;
  uint64_t messages = 0;
};
struct PortEndItem {
  static constexpr ItemKind kKind = ItemKind::kPortEnd;
  uint64_t number = 0;
  bool cancelled = false;  // What is under way is not wanted, either.
};
struct PortLeftItem {
  static constexpr ItemKind kKind = ItemKind::kPortLeft;
  uint64_t number = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_CLUSTER_INTERNAL_PORT_ITEMS_H_
