#include "troupe/supervision/internal/supervisor_command.h"

#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe::internal {

absl::string_view ToString(AdminOutcome outcome) {
  switch (outcome) {
    case AdminOutcome::kDone:
      return "done";
    case AdminOutcome::kNoSuchChild:
      return "no_such_child";
    case AdminOutcome::kRunning:
      return "running";
    case AdminOutcome::kRestarting:
      return "restarting";
    case AdminOutcome::kStartFailed:
      return "start_failed";
    case AdminOutcome::kStopped:
      return "stopped";
    case AdminOutcome::kNotDynamic:
      return "not_dynamic";
    case AdminOutcome::kEnding:
      return "ending";
  }
  return "no outcome";
}

absl::string_view ToString(Verdict verdict) {
  switch (verdict) {
    case Verdict::kRestart:
      return "restart";
    case Verdict::kRestartAll:
      return "restart_all";
    case Verdict::kRestartRest:
      return "restart_rest";
    case Verdict::kLeave:
      return "leave";
    case Verdict::kForget:
      return "forget";
    case Verdict::kAutoShutdown:
      return "auto_shutdown";
    case Verdict::kGiveUp:
      return "give_up";
    case Verdict::kStartFailed:
      return "start_failed";
    case Verdict::kNone:
      return "none";
  }
  return "no verdict";
}

absl::string_view ToString(EndCause cause) {
  switch (cause) {
    case EndCause::kAsked:
      return "asked";
    case EndCause::kStartFailed:
      return "start_failed";
    case EndCause::kGaveUp:
      return "gave_up";
    case EndCause::kAutoShutdown:
      return "auto_shutdown";
  }
  return "no cause";
}

std::ostream& operator<<(std::ostream& os, const SupervisorCommand& command) {
  switch (command.kind) {
    case SupervisorCommand::Kind::kStart:
      return os << "start " << command.child;
    case SupervisorCommand::Kind::kStop:
      return os << "stop " << command.child;
    case SupervisorCommand::Kind::kKill:
      return os << "kill " << command.child;
    case SupervisorCommand::Kind::kForget:
      return os << "forget " << command.child;
    case SupervisorCommand::Kind::kAnswer:
      return os << "answer " << command.ticket << " about " << command.child
                << ": " << ToString(command.outcome);
    case SupervisorCommand::Kind::kReport:
      return os << "report " << command.child << ": "
                << ToString(command.verdict) << " after " << command.restarts
                << " restarts, in " << command.delay;
    case SupervisorCommand::Kind::kReady:
      return os << "ready";
    case SupervisorCommand::Kind::kFinished:
      return os << "finished: " << ToString(command.cause) << ", child "
                << static_cast<int32_t>(command.child) << ", "
                << command.restarts << " failures within " << command.within;
  }
  return os << "no command";
}

}  // namespace troupe::internal
