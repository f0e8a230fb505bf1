// A shell around a SupervisorMachine for tests that look at each command.
#ifndef TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_TESTING_H_
#define TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_TESTING_H_

#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/supervision/internal/supervisor_machine.h"

namespace troupe::internal {

struct TestShell {
  explicit TestShell(const SupervisorMachine::Settings& settings,
                     const std::vector<ChildRules>& children = {})
      : machine(settings, random) {
    for (const ChildRules& rules : children) machine.Add(rules);
  }

  // Such as {"start 0", "report 0: restart after 0 restarts, in 0"}.
  std::vector<std::string> Take() {
    std::vector<std::string> taken;
    while (machine.HasCommand()) {
      taken.push_back((std::ostringstream() << machine.TakeCommand()).str());
    }
    return taken;
  }

  // Without reports.
  std::vector<std::string> TakeActions() {
    std::vector<std::string> taken = Take();
    std::erase_if(taken, [](const std::string& text) {
      return text.starts_with("report");
    });
    return taken;
  }

  // Starts the children that were added; all succeed.
  void StartAll() {
    machine.Start(now);
    while (machine.HasCommand()) {
      const SupervisorCommand command = machine.TakeCommand();
      if (command.kind == SupervisorCommand::Kind::kStart) {
        Started(command.child);
      }
    }
  }

  void Started(ChildKey child) { machine.ChildStarted(child, now); }
  void NotStarted(ChildKey child) { machine.StartFailed(child, now); }
  void Ended(ChildKey child, ExitReason::Kind kind) {
    machine.ChildEnded(child, kind, now);
  }
  void Fails(ChildKey child) { Ended(child, ExitReason::Kind::kFailed); }
  void Stopped(ChildKey child) { Ended(child, ExitReason::Kind::kShutdown); }
  void Pass(absl::Duration time) {
    now += time;
    machine.TimerDue(now);
  }

  void StartChild(ChildKey child, Ticket ticket) {
    machine.StartChild(child, now, ticket);
  }
  void Terminate(ChildKey child, Ticket ticket) {
    machine.TerminateChild(child, now, ticket);
  }
  void Restart(ChildKey child, Ticket ticket) {
    machine.RestartChild(child, now, ticket);
  }
  void Delete(ChildKey child, Ticket ticket) {
    machine.DeleteChild(child, now, ticket);
  }

  Random random{1};
  MonotonicTime now;
  SupervisorMachine machine;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_SUPERVISOR_TESTING_H_
