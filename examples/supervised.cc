// A worker that crashes on bad input, comes back, and is given up after too
// many crashes; then the supervisor above restarts its supervisor.
//
//   ./bazelw run //examples:supervised
//
// prints
//
//   jobs: supervisor, running
//   └── workers: supervisor, running
//       └── parser: Parser, running
//   1
//   * jobs/workers: parser failed, exception: stoi; restart
//   2
//   * jobs/workers: parser failed, exception: stoi; restart
//   * jobs/workers: parser failed, exception: stoi; give_up
//   * jobs: workers failed, supervisor 'jobs/workers' gave up: 3 failures, ...
//   3
//   jobs: supervisor, running
//   └── workers: supervisor, running, restarts 1
//       └── parser: Parser, running
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/retry.h"
#include "troupe/base/log.h"
#include "troupe/supervision/supervision_report.h"
#include "troupe/supervision/supervision_tree.h"
#include "troupe/supervision/supervisor.h"

struct Parse {
  std::string text;
  using Reply = int;
};

class Parser : public troupe::Actor<Parse> {
 public:
  int Handle(const Parse& m) {
    return std::stoi(m.text);  // Throws if that is no number.
  }
};

void PrintTree(troupe::SupervisorRef root) {
  const absl::StatusOr<troupe::SupervisionTree> tree =
      root.Call<troupe::GetTree>().Wait();
  if (tree.ok()) std::cout << troupe::TreeText(*tree);
}

void PrintReport(const troupe::SupervisionReport& report) {
  std::cout << "* " << report.supervisor << ": " << report.child << " failed, "
            << report.reason.status().message() << "; "
            << ToString(report.decision) << "\n";
}

// What supervisors log is printed instead.
class Silence : public troupe::LogSink {
 public:
  void Send(const troupe::LogEntry&) override {}
};

int main() {
  Silence silence;
  auto system =
      troupe::ActorSystem::Create({.logger = troupe::Logger(&silence)});
  if (!system.ok()) return 1;
  const troupe::Subscription reports =
      (*system)->Subscribe<troupe::SupervisionReport>(&PrintReport);

  // Two restarts within 5 s are made; a third failure is one too many.
  troupe::Supervisor::Spec workers{.intensity = {.restarts = 2}};
  const troupe::ChildRef<Parse> parser = workers.Add<Parser>({.id = "parser"});
  troupe::Supervisor::Spec spec{.name = "jobs"};
  spec.Add({.id = "workers"}, std::move(workers));
  const absl::StatusOr<troupe::SupervisorRef> jobs =
      troupe::Supervisor::Start(**system, std::move(spec));
  if (!jobs.ok()) return 1;
  PrintTree(*jobs);

  for (const char* text : {"1", "one", "2", "two", "three", "3"}) {
    // What the crash before left undelivered is sent again; what crashed the
    // parser is not.
    const absl::StatusOr<int> number =
        parser.Call<Parse>(text)
            .Retry({.attempts = 20, .also_ended = true})
            .Wait();
    if (number.ok()) std::cout << *number << "\n";
  }
  PrintTree(*jobs);
}
