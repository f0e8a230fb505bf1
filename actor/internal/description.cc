#include "troupe/actor/internal/description.h"

#include <cstddef>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/events.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/extras.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/send.h"

namespace troupe::internal {

ActorId ActorOf(const Runnable& runnable) {
  if (runnable.type->woken != &CellWoken) return ActorId();
  return ActorId(static_cast<const Cell&>(runnable).CurrentId());
}

const std::string& NameOf(const Cell& cell) {
  static const std::string* const none = new std::string;
  return cell.extras != nullptr ? cell.extras->name : *none;
}

ExitReason ExitReasonOf(const Cell& cell) {
  if (cell.extras != nullptr &&
      cell.extras->exit_reason.kind() == cell.exit_kind) {
    return cell.extras->exit_reason;
  }
  return ExitReason::Plain(cell.exit_kind);
}

void KeepExitReason(Cell& cell, const ExitReason& reason) {
  cell.Extras().exit_reason = reason;
}

Identity::Identity(const Cell& cell)
    : id(cell.CurrentId()),
      parent(cell.parent != nullptr ? cell.parent->CurrentId() : 0),
      name(NameOf(cell)) {}

std::string Describe(const ActorType& type, const Identity& who) {
  std::string text = absl::StrCat(
      absl::string_view(type.class_name.data(), type.class_name.size()), " ",
      who.id.ToString());
  if (!who.name.empty()) absl::StrAppend(&text, " '", who.name, "'");
  return text;
}

std::string Abridged(std::string text) {
  constexpr size_t kLongest = 512;
  constexpr size_t kBeginning = 200;
  constexpr size_t kEnd = 300;
  if (text.size() <= kLongest) return text;
  // Between characters, should it be UTF-8.
  const auto is_inside = [&text](size_t i) {
    return (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
  };
  size_t from = kBeginning;
  while (from > kBeginning - 3 && is_inside(from)) --from;
  size_t to = text.size() - kEnd;
  while (to > text.size() - kEnd - 3 && is_inside(to)) --to;
  return absl::StrCat(absl::string_view(text).substr(0, from), " ... ",
                      absl::string_view(text).substr(to));
}

// Outside the seat: a mailbox has grown beyond what is usual.
void ReportHighWater(Cell& cell, const Identity& who, uint32_t queued) {
  cell.system->logger().Log(
      LogSeverity::kWarning,
      absl::StrCat(Describe(cell.actor_type(), who), " has ", queued,
                   " messages waiting; bound its mailbox, or slow its senders "
                   "down"));
  cell.system->Publish(HighWater{who.id, cell.actor_type().class_name, queued});
}

// Outside the seat: what was sent to actors that lived in the same memory
// before.
void MournStrangers(SystemCore& system, Envelope* envelope) {
  while (envelope != nullptr) {
    Envelope* const next = envelope->next;
    if (envelope->lane != Lane::kSignal && !IsControl(*envelope)) {
      FailRequest(*envelope, CallRefused({ActorId(), envelope->type},
                                         SendResult::kNoActor));
      system.MournMessage(ActorId(), DeadLetter::Reason::kNoActor, *envelope);
    }
    DestroyEnvelope(envelope);
    envelope = next;
  }
}

void BecomeDeadLetters(Cell& cell, Envelope* undelivered, SendResult why) {
  const uint64_t id = cell.CurrentId();
  while (undelivered != nullptr) {
    Envelope* const next = undelivered->next;
    BecomeDeadLetter(cell, id, undelivered, why);
    undelivered = next;
  }
}

}  // namespace troupe::internal
