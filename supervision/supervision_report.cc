#include "troupe/supervision/supervision_report.h"

#include "absl/strings/str_cat.h"

namespace troupe {

using Decision = SupervisionReport::Decision;

absl::string_view ToString(Decision decision) {
  switch (decision) {
    case Decision::kRestart:
      return "restart";
    case Decision::kRestartAll:
      return "restart_all";
    case Decision::kRestartRest:
      return "restart_rest";
    case Decision::kLeave:
      return "leave";
    case Decision::kForget:
      return "forget";
    case Decision::kAutoShutdown:
      return "auto_shutdown";
    case Decision::kGiveUp:
      return "give_up";
    case Decision::kFailToStart:
      return "fail_to_start";
    case Decision::kNothing:
      return "nothing";
  }
  return "unknown";
}

namespace {

absl::string_view Consequence(Decision decision) {
  switch (decision) {
    case Decision::kRestart:
      return "it is restarted";
    case Decision::kRestartAll:
      return "all children are restarted";
    case Decision::kRestartRest:
      return "it is restarted, and those after it";
    case Decision::kLeave:
      return "it stays stopped";
    case Decision::kForget:
      return "it is forgotten";
    case Decision::kAutoShutdown:
      return "the supervisor ends";
    case Decision::kGiveUp:
      return "the supervisor gives up";
    case Decision::kFailToStart:
      return "the supervisor cannot start";
    case Decision::kNothing:
      return "it was to end";
  }
  return "";
}

}  // namespace

std::string SupervisionReport::ToString() const {
  return absl::StrCat(
      "supervisor '", supervisor, "': child '", child, "' ",
      instance.IsNull() ? "did not start: " : "ended: ", reason.ToString(),
      reason.message_type().empty() ? "" : "; it handled ",
      reason.message_type(), "; ", Consequence(decision),
      delay > absl::ZeroDuration()
          ? absl::StrCat(" in ", absl::FormatDuration(delay))
          : "",
      restarts == 0 ? "" : absl::StrCat(" (restarted ", restarts, " times)"));
}

}  // namespace troupe
