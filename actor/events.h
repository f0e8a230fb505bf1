// What happens in an ActorSystem, as typed values, for whoever subscribes:
//
//   Subscription subscription = system.Subscribe<DeadLetter>(
//       [](const DeadLetter& letter) { Count(letter.reason); });
//
// Order: the events of one actor come in the order in which they happen.
// Blocking: subscribers run on the thread that publishes, and must be brief.
#ifndef TROUPE_ACTOR_EVENTS_H_
#define TROUPE_ACTOR_EVENTS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/exit_reason.h"

namespace troupe {

// A message that no handler saw.
struct DeadLetter {
  enum class Reason : uint8_t {
    kNoActor,      // There was no such actor any more.
    kStopped,      // The actor stopped first, or takes no more messages.
    kMailboxFull,  // Its mailbox was full.
    kUnreachable,  // There was no connection with its node.
    kExpired,      // Its deadline passed first.
    kUndecodable,  // It came from elsewhere, and made no sense.
    kRefused,      // It came from elsewhere, and its sender may not send it.
  };
  ActorId target;
  Reason reason;
  std::string_view message_type;
};

absl::string_view DeadLetterReasonName(DeadLetter::Reason reason);

// An actor runs: its PostStart has ended.
struct ActorStarted {
  ActorId actor;
  ActorId parent;  // Null: top level.
  absl::string_view name;
  std::string_view class_name;
};

// An actor has ended, however it did.
struct ActorEnded {
  ActorId actor;
  absl::string_view name;
  std::string_view class_name;
  const ExitReason& reason;
};

// A turn took longer than ActorSystem::Options::long_turn_after.
struct LongTurn {
  std::string actor;
  absl::Duration so_far;
};

// More messages wait in one mailbox than
// ActorSystem::Options::high_water_messages. Once for each actor.
struct HighWater {
  ActorId actor;
  std::string_view class_name;
  uint64_t queued_messages;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_EVENTS_H_
