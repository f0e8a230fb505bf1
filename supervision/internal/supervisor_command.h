// What the machine of a supervisor (supervisor_machine.h) tells its shell.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_COMMAND_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_COMMAND_H_

#include <cstdint>
#include <limits>
#include <ostream>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe::internal {

// A child of one machine: the index of its entry. Used again, for another
// child, once the shell has taken the command kForget.
using ChildKey = uint32_t;
inline constexpr ChildKey kNoChild = std::numeric_limits<ChildKey>::max();

// An answer that the shell owes somebody; what its number means, it decides.
using Ticket = uint64_t;

// How an admin operation ended.
enum class AdminOutcome : uint8_t {
  kDone,
  kNoSuchChild,  // It was forgotten before its turn came.
  kRunning,      // It runs; terminate it first.
  kRestarting,   // An instance is being started, or will be.
  kStartFailed,  // For whatever reason the last StartFailed() was about.
  kStopped,      // It was made to end before it had started.
  kNotDynamic,   // Of kDynamic, children are only started and terminated.
  kEnding,       // The supervisor ends.
};

// What becomes of a child whose instance has ended, or could not be started.
enum class Verdict : uint8_t {
  kRestart,       // It is started again.
  kRestartAll,    // All children are.
  kRestartRest,   // It is, and those that come after it are.
  kLeave,         // It stays without an instance.
  kForget,        // Its entry goes too.
  kAutoShutdown,  // The supervisor ends: enough significant children have.
  kGiveUp,        // The supervisor ends: it was one restart too many.
  kStartFailed,   // The supervisor ends: it could not start all its children.
  kNone,  // Nothing that was not decided before: it was to end, but not so.
};

// Why a supervisor ends.
enum class EndCause : uint8_t {
  kAsked,         // Shutdown().
  kStartFailed,   // Before Start() was done, a child's first start failed.
  kGaveUp,        // Its children failed too often.
  kAutoShutdown,  // Enough significant children have ended.
};

struct SupervisorCommand {
  enum class Kind : uint8_t {
    kStart,     // Start an instance of `child`.
    kStop,      // Ask its instance to stop, with ExitReason::Shutdown().
    kKill,      // Kill its instance.
    kForget,    // `child` is no more: drop what is kept of it.
    kAnswer,    // `ticket` is answered with `outcome`; it was about `child`.
    kReport,    // The instance of `child` has ended, or its start has failed,
                // not as asked for; `verdict`, `restarts` before, `delay`.
    kReady,     // Start() is done: every child has started once.
    kFinished,  // No instance is left and the supervisor ends: `cause`,
                // `child` (not for kAsked), `restarts` and `within` (kGaveUp).
  };
  Kind kind;
  AdminOutcome outcome = AdminOutcome::kDone;
  Verdict verdict = Verdict::kNone;
  EndCause cause = EndCause::kAsked;
  ChildKey child = kNoChild;
  // kReport: how often the child has been restarted before. kFinished: the
  // failures that were too many, of all children within `within`, or in a row
  // of a child with a RestartBackoff; then `within` is infinite.
  uint32_t restarts = 0;
  Ticket ticket = 0;
  absl::Duration delay = absl::ZeroDuration();
  absl::Duration within = absl::ZeroDuration();

  friend bool operator==(const SupervisorCommand&,
                         const SupervisorCommand&) = default;
};

// Such as "running", "restart_all", "gave_up", "stop 3".
absl::string_view ToString(AdminOutcome outcome);
absl::string_view ToString(Verdict verdict);
absl::string_view ToString(EndCause cause);
std::ostream& operator<<(std::ostream& os, const SupervisorCommand& command);

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_COMMAND_H_
