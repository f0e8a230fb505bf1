// How much a bounded mailbox holds, and what becomes of what does not fit.
//
//   Capacity capacity{.messages = 1000, .policy = OverflowPolicy::kDropOldest};
//   if (absl::Status status = Validate(capacity); !status.ok()) return status;
#ifndef TROUPE_MAILBOX_CAPACITY_H_
#define TROUPE_MAILBOX_CAPACITY_H_

#include <cstdint>
#include <limits>

#include "absl/status/status.h"

namespace troupe {

// What a full mailbox does about another message.
enum class OverflowPolicy : uint8_t {
  kReject,      // Refuses it: the sender keeps it.
  kDropNewest,  // Drops it: it becomes a dead letter.
  kDropOldest,  // Drops the oldest messages until it fits.
  kAwait,  // Lets the sender wait for space; refuses it to one that cannot.
};

// Limits of the normal lane. Signals, events and urgent messages are never
// bounded.
struct Capacity {
  static constexpr uint64_t kUnlimited = std::numeric_limits<uint64_t>::max();

  uint64_t messages = kUnlimited;
  // Of the envelopes (Envelope::size_bytes()). A larger envelope than this is
  // refused under every policy: it never fits.
  uint64_t bytes = kUnlimited;
  OverflowPolicy policy = OverflowPolicy::kAwait;

  friend bool operator==(const Capacity&, const Capacity&) = default;
};

// kInvalidArgument, naming field and value: `messages` is 0, `bytes` is less
// than the smallest envelope has, or `policy` is none of the above.
absl::Status Validate(const Capacity& capacity);

}  // namespace troupe

#endif  // TROUPE_MAILBOX_CAPACITY_H_
