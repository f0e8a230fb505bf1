// What a supervisor reports when a child of its ends and should not have, or
// cannot be started: once, as an event of the system and as one line of its
// log.
//
//   Subscription subscription = system.Subscribe<SupervisionReport>(
//       [](const SupervisionReport& report) { Count(report.decision); });
//
// Order: those of one supervisor come in the order of its decisions.
// Memory: the texts are bounded, however long the chain of reasons was.
#ifndef TROUPE_SUPERVISION_SUPERVISION_REPORT_H_
#define TROUPE_SUPERVISION_SUPERVISION_REPORT_H_

#include <cstdint>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/exit_reason.h"

namespace troupe {

struct SupervisionReport {
  enum class Decision : uint8_t {
    kRestart,       // The child is started again.
    kRestartAll,    // All children of the supervisor are.
    kRestartRest,   // It is, and those that come after it.
    kLeave,         // It stays without an instance.
    kForget,        // The same, and the supervisor keeps nothing of it.
    kAutoShutdown,  // The supervisor ends: a significant child has.
    kGiveUp,        // The supervisor fails: it was one restart too many.
    kFailToStart,   // The supervisor does not start without the child.
    kNothing,       // It was to end, and did so in another way.
  };

  std::string supervisor;  // Its path, such as "bank/tellers".
  std::string child;       // Its id.
  ActorId instance;        // Null: it could not be started.
  // Why it ended, and at which message; or why it could not be started.
  ExitReason reason;
  uint64_t restarts = 0;  // Of this child, before.
  Decision decision = Decision::kNothing;
  absl::Duration delay;  // Before the restart.

  // Such as "supervisor 'bank': child 'teller' ended: failed: INTERNAL: no
  // disk; it handled Write; it is restarted (restarted 2 times)".
  std::string ToString() const;
};

// Such as "restart_all".
absl::string_view ToString(SupervisionReport::Decision decision);

inline std::ostream& operator<<(std::ostream& os,
                                SupervisionReport::Decision decision) {
  return os << ToString(decision);
}

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_SUPERVISION_REPORT_H_
