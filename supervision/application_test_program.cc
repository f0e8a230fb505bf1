// The program that application_test.sh runs: a tree of one actor, which behaves
// as the first argument says. Prints "up" when it has started.
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/sleep.h"
#include "troupe/actor/task.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/supervision/application.h"

namespace troupe {
namespace {

struct Go {};

// Shuts the system down, whoever runs it, in less time than its actors need.
class Impatient {
 public:
  explicit Impatient(ActorSystem& system)
      : thread_(RealThreadFactory()
                    .Start("impatient",
                           [&system] {
                             (void)system.Shutdown(absl::Milliseconds(10));
                           })
                    .value()) {}
  ~Impatient() { thread_->Join(); }

 private:
  std::unique_ptr<JoinableThread> thread_;
};

class Subject : public Actor<Go> {
 public:
  explicit Subject(std::string mode) : mode_(std::move(mode)) {}

  absl::Status PreStart() {
    if (mode_ == "unable") return absl::UnavailableError("no disk");
    return absl::OkStatus();
  }
  void PostStart() { self().Send<Go>(); }
  absl::Status Handle(Go) {
    std::cout << "up" << std::endl;
    if (mode_ == "done") StopSelf();
    if (mode_ == "shut") (void)system().Get<Impatient>();
    if (mode_ == "failing") return absl::DataLossError("torn");
    // Volatile: a compiler may take it that other loops end.
    volatile bool is_stuck = mode_ == "stuck";
    while (is_stuck) {
    }
    return absl::OkStatus();
  }
  Task<void> PostStop(const ExitReason& reason) {
    std::cout << "stopping: " << reason.ToString() << std::endl;
    if (mode_ == "stubborn" || mode_ == "shut") {
      (void)co_await Sleep(absl::InfiniteDuration());
    }
  }

 private:
  const std::string mode_;
};

}  // namespace
}  // namespace troupe

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  troupe::Supervisor::Spec root{.name = "test",
                                .intensity = {.restarts = 0},
                                .auto_shutdown = troupe::kAnySignificant};
  root.Add<troupe::Subject>({.id = "subject",
                             .restart = troupe::kTransient,
                             .shutdown = troupe::Shutdown::Infinite(),
                             .significant = true},
                            mode);
  const absl::Duration limit =
      mode == "stuck" ? absl::Milliseconds(50) : absl::Seconds(1000);
  return troupe::RunApplication(std::move(root), {.shutdown_timeout = limit});
}
