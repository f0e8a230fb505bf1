// Shows that a system whose actors have nothing to do takes no processor time:
// a thousand of them on two workers.
//
//   ./bazelw run --config=opt //actor:idle_cpu -- --seconds=10
#include "troupe/scheduler/internal/idle_cpu.h"

#include <iostream>
#include <memory>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

ABSL_FLAG(int, seconds, 10, "how long to be idle");

namespace {

struct Greeting {};

class Idler : public troupe::Actor<Greeting> {
 public:
  void Handle(Greeting) {}
};

absl::Status Run() {
  absl::StatusOr<std::unique_ptr<troupe::ActorSystem>> system =
      troupe::ActorSystem::Create({.workers = 2});
  if (!system.ok()) return system.status();
  for (int i = 0; i < 1000; ++i) {
    absl::StatusOr<troupe::ActorRef<Greeting>> actor =
        (*system)->Spawn<Idler>();
    if (!actor.ok()) return actor.status();
    actor->Send<Greeting>();
  }
  std::cout << "an idle system: "
            << troupe::internal::MeasureIdleCpu(
                   absl::Seconds(absl::GetFlag(FLAGS_seconds)))
            << "\n";
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("measures the processor time of idle actors");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = Run();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
