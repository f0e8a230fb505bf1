#include "troupe/actor/send_result.h"

namespace troupe {

absl::string_view SendResultName(SendResult result) {
  switch (result) {
    case SendResult::kSent:
      return "sent";
    case SendResult::kNoActor:
      return "no such actor";
    case SendResult::kStopped:
      return "the actor takes no more messages";
    case SendResult::kMailboxFull:
      return "the actor's mailbox is full";
    case SendResult::kUnreachable:
      return "there is no connection with the actor's node";
    case SendResult::kDropped:
      return "the actor's mailbox was full, and dropped the message";
  }
  return "unknown";
}

absl::Status ToStatus(SendResult result) {
  switch (result) {
    case SendResult::kSent:
      return absl::OkStatus();
    case SendResult::kNoActor:
      return absl::NotFoundError(SendResultName(result));
    case SendResult::kStopped:
      return absl::AbortedError(SendResultName(result));
    case SendResult::kMailboxFull:
    case SendResult::kDropped:
      return absl::ResourceExhaustedError(SendResultName(result));
    case SendResult::kUnreachable:
      return absl::UnavailableError(SendResultName(result));
  }
  return absl::InternalError("no such result");
}

}  // namespace troupe
