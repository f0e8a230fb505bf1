#include "troupe/actor/exit_reason.h"

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
  }
  return "unknown";
}

}  // namespace

std::string ExitReason::ToString() const {
  std::string text(NameOf(kind_));
  if (!status_.ok()) absl::StrAppend(&text, ": ", status_.ToString());
  if (!detail_.empty()) absl::StrAppend(&text, " (", detail_, ")");
  return text;
}

}  // namespace troupe
