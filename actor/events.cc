#include "troupe/actor/events.h"

namespace troupe {

absl::string_view DeadLetterReasonName(DeadLetter::Reason reason) {
  switch (reason) {
    case DeadLetter::Reason::kNoActor:
      return "no such actor";
    case DeadLetter::Reason::kStopped:
      return "stopped";
    case DeadLetter::Reason::kMailboxFull:
      return "mailbox full";
    case DeadLetter::Reason::kUnreachable:
      return "no connection";
    case DeadLetter::Reason::kExpired:
      return "expired";
    case DeadLetter::Reason::kUndecodable:
      return "undecodable";
    case DeadLetter::Reason::kRefused:
      return "refused";
  }
  return "unknown";
}

}  // namespace troupe
