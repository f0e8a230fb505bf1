#include "troupe/actor/exit_reason.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

absl::string_view NameOf(ExitReason::Kind kind) {
  switch (kind) {
    case ExitReason::Kind::kNormal:
      return "normal";
    case ExitReason::Kind::kShutdown:
      return "shutdown";
    case ExitReason::Kind::kDrained:
      return "drained";
    case ExitReason::Kind::kKilled:
      return "killed";
    case ExitReason::Kind::kFailed:
      return "failed";
    case ExitReason::Kind::kNoActor:
      return "no such actor";
    case ExitReason::Kind::kNoConnection:
      return "no connection";
  }
  return "unknown";
}

}  // namespace

ExitReason ExitReason::Failed(absl::Status status,
                              absl::string_view message_type) {
  ExitReason reason(Kind::kFailed);
  reason.rest_ =
      std::make_shared<Rest>(Rest{std::move(status), "", message_type});
  return reason;
}

ExitReason ExitReason::WithDetail(Kind kind, absl::string_view detail) {
  ExitReason reason(kind);
  if (!detail.empty()) {
    reason.rest_ =
        std::make_shared<Rest>(Rest{absl::OkStatus(), std::string(detail), {}});
  }
  return reason;
}

const ExitReason::Rest& ExitReason::rest() const {
  static const Rest* const nothing = new Rest;
  return rest_ != nullptr ? *rest_ : *nothing;
}

std::string ExitReason::ToString() const {
  std::string text(NameOf(kind_));
  if (!status().ok()) absl::StrAppend(&text, ": ", status().ToString());
  if (!detail().empty()) absl::StrAppend(&text, " (", detail(), ")");
  return text;
}

}  // namespace troupe
