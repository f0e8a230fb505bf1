#include "troupe/testing/swarm/calls.h"

#include "absl/strings/str_cat.h"
#include "troupe/actor/delivery.h"

namespace troupe::swarm {
namespace {

// Deadlines count in ticks of the wheel.
constexpr int64_t kTickNs = 1'000'000;

}  // namespace

uint32_t Calls::Made(Number caller, Number callee, int64_t deadline_ns,
                     uint32_t attempts) {
  calls_.push_back({caller, callee, deadline_ns, attempts});
  ++open_;
  const uint32_t call = static_cast<uint32_t>(calls_.size() - 1);
  journal_.Note(What::kCalls, caller, callee, call);
  return call;
}

void Calls::Served(uint32_t call, Number by, int64_t deadline_ns) {
  Call& entry = calls_[call];
  journal_.Note(What::kServes, by, entry.caller, call);
  if (++entry.served > entry.attempts) {
    Break(kName, call, "its request is handled once too often (§17)");
  }
  Seen(call, deadline_ns);
}

void Calls::Seen(uint32_t call, int64_t deadline_ns) {
  if (deadline_ns <= journal_.now_ns()) {
    Break(kExpired, call, "its deadline has passed (§22)");
  }
}

void Calls::Vanished(uint32_t call) {
  Call& entry = calls_[call];
  // Of several requests nobody knows which one it was.
  if (!entry.over && entry.attempts == 1) {
    entry.vanished_ns = journal_.now_ns();
  }
}

void Calls::CheckVanished(uint32_t call) {
  const int64_t vanished_ns = calls_[call].vanished_ns;
  if (vanished_ns != 0 && journal_.now_ns() > vanished_ns + 2 * kTickNs) {
    Break(kName, call, "its request was lost while it was waited for (§36)");
  }
}

void Calls::Ended(uint32_t call, const absl::Status& outcome, int64_t answer) {
  Call& entry = calls_[call];
  journal_.Note(What::kCallEnds, entry.caller, entry.callee,
                uint64_t{call} << 8 | static_cast<uint64_t>(outcome.code()));
  if (entry.over) return Break(kName, call, "it ends twice");
  CheckVanished(call);
  entry.over = true;
  --open_;
  if (journal_.now_ns() > entry.deadline_ns + 2 * kTickNs) {
    Break(kName, call, "it lasts longer than its deadline (§22)");
  }
  if (absl::IsUnknown(outcome)) return;  // Looked at already.
  if (outcome.ok()) {
    if (answer != AnswerTo(call)) {
      Break(kName, call, absl::StrCat("it has the answer ", answer));
    }
    if (entry.served == 0) Break(kName, call, "nobody can have answered it");
    return;
  }
  switch (Delivery(outcome)) {
    case DeliveryState::kNotDelivered:
      if (entry.served != 0) {
        Break(kName, call, "it was delivered, but is said not to be (§24)");
      }
      break;
    case DeliveryState::kAnswered:
      if (entry.served == 0) {
        Break(kName, call, "it is said to be answered, but was not (§24)");
      }
      break;
    case DeliveryState::kUnknown:
      break;
  }
}

void Calls::EndedTogether(uint32_t call,
                          const std::vector<absl::StatusOr<int64_t>>& outcomes,
                          size_t asked) {
  if (outcomes.size() != asked) Break(kName, call, "not one outcome for each");
  uint32_t good = 0;
  for (const absl::StatusOr<int64_t>& outcome : outcomes) {
    if (!outcome.ok()) continue;
    ++good;
    if (*outcome != AnswerTo(call)) Break(kName, call, "a wrong answer");
  }
  if (good > calls_[call].served) {
    Break(kName, call, "nobody can have answered it");
  }
  Ended(call, absl::UnknownError("of several"), 0);
}

void Calls::Dropped(uint32_t call) {
  Call& entry = calls_[call];
  if (entry.over) return;
  CheckVanished(call);
  entry.over = true;
  --open_;
  journal_.Note(What::kCallEnds, entry.caller, entry.callee, call);
}

void Calls::CheckAtRest() {
  if (open_ == 0) return;
  for (uint32_t call = 1; call < calls_.size(); ++call) {
    if (!calls_[call].over) Break(kName, call, "it has not ended");
  }
}

void Calls::Break(std::string_view invariant, uint32_t call,
                  absl::string_view how) {
  journal_.Break(invariant,
                 absl::StrCat("call ", call, " of #", calls_[call].caller,
                              " to #", calls_[call].callee, ": ", how));
}

}  // namespace troupe::swarm
