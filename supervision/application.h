// A program that is one tree of supervised actors:
//
//   int main() {
//     troupe::Supervisor::Spec bank{.name = "bank"};
//     bank.Add<Account>({.id = "account"}, /*opening_cents=*/100);
//     return troupe::RunApplication(std::move(bank));
//   }
//
// It runs until the root supervisor ends, or a SIGTERM or SIGINT asks it to:
// then the tree stops in order, within a limit. A second signal, or the end of
// that limit, kills what is left; handlers that do not even return then are
// given up with the process.
//
// Exit code: EXIT_SUCCESS if the root ended normally, or when it was asked to,
// in time; EXIT_FAILURE if it could not start, failed, or had to be killed. The
// log says why.
// Blocking: for as long as the program runs.
// Thread safety: called by the main thread, before the program makes threads of
// its own: they inherit that the two signals are blocked. Those of the system
// block them anyway.
#ifndef TROUPE_SUPERVISION_APPLICATION_H_
#define TROUPE_SUPERVISION_APPLICATION_H_

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/supervision/supervisor.h"

namespace troupe {

struct ApplicationOptions {
  ActorSystem::Options system = {};
  // How long the tree may take to stop once it was asked to.
  absl::Duration shutdown_timeout = absl::Seconds(10);
  // Called before anything starts: to install a name service, say. What is not
  // OK ends the program.
  std::function<absl::Status(ActorSystem&)> prepare = {};
};

int RunApplication(Supervisor::Spec root, ApplicationOptions options = {});

}  // namespace troupe

#endif  // TROUPE_SUPERVISION_APPLICATION_H_
