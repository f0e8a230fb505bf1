// What became of a message at the moment it was sent.
#ifndef TROUPE_ACTOR_SEND_RESULT_H_
#define TROUPE_ACTOR_SEND_RESULT_H_

#include <cstdint>
#include <ostream>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace troupe {

enum class [[nodiscard]] SendResult : uint8_t{
    kSent,         // Admitted. It may still become a dead letter.
    kNoActor,      // There is no such actor any more.
    kStopped,      // It takes no more messages: it drains or stops.
    kMailboxFull,  // Its mailbox is full, or will never hold such a message.
    kUnreachable,  // It lives on a node with which there is no connection.
    kDropped,      // Its mailbox is full and drops what is new: a dead letter.
};

// Whether the message is still its sender's.
constexpr bool IsRefused(SendResult result) {
  return result != SendResult::kSent && result != SendResult::kDropped;
}

absl::string_view SendResultName(SendResult result);

// OK, kNotFound, kAborted, kResourceExhausted for what is full, or
// kUnavailable.
absl::Status ToStatus(SendResult result);

inline std::ostream& operator<<(std::ostream& os, SendResult result) {
  return os << SendResultName(result);
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_SEND_RESULT_H_
