// Adds and removes supervised children while the program runs.
//
//   ./bazelw run //examples:dynamic_workers
//
// prints
//
//   ann, bob and cem work; 3 active
//   bob is let go; 2 active
//   bob: NOT_FOUND
//   ann was hurt, and works again
//   2 active
#include <cstdint>
#include <iostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/retry.h"
#include "troupe/supervision/supervisor.h"

namespace {

struct Hurt {};
struct Greet {
  using Reply = std::string;
};

class Worker : public troupe::Actor<Hurt, Greet> {
 public:
  explicit Worker(std::string name) : name_(std::move(name)) {}

  absl::Status Handle(Hurt) { return absl::InternalError(name_ + " is hurt"); }
  std::string Handle(Greet) { return name_ + " works"; }

 private:
  const std::string name_;
};

// A child that is to be started. Whoever keeps the ChildRef reaches it whatever
// becomes of it.
troupe::ChildSpec WorkerNamed(std::string name) {
  return troupe::ChildSpec::Of<Worker>({.id = name}, name);
}

uint64_t CountActive(troupe::SupervisorRef crew) {
  return crew.Call<troupe::CountChildren>().Wait()->active;
}

}  // namespace

int main() {
  auto system = troupe::ActorSystem::Create();
  if (!system.ok()) return 1;
  const absl::StatusOr<troupe::SupervisorRef> crew = troupe::Supervisor::Start(
      **system, {.name = "crew", .strategy = troupe::kDynamic});
  if (!crew.ok()) return 1;

  troupe::ChildSpec ann_spec = WorkerNamed("ann");
  const auto ann = ann_spec.RefTo<Worker::Ref>();
  (void)crew->Call<troupe::StartChild>(std::move(ann_spec)).Wait();
  (void)crew->Call<troupe::StartChild>(WorkerNamed("bob")).Wait();
  (void)crew->Call<troupe::StartChild>(WorkerNamed("cem")).Wait();
  std::cout << "ann, bob and cem work; " << CountActive(*crew) << " active\n";

  (void)crew->Call<troupe::TerminateChild>("bob").Wait();
  std::cout << "bob is let go; " << CountActive(*crew) << " active\n";
  const absl::StatusOr<troupe::ChildInfo> bob =
      crew->Call<troupe::GetChild>("bob").Wait();
  std::cout << "bob: " << absl::StatusCodeToString(bob.status().code()) << "\n";

  ann.Send<Hurt>();
  const absl::StatusOr<std::string> greeting =
      ann.Call<Greet>().Retry({.attempts = 10, .also_ended = true}).Wait();
  if (greeting.ok()) std::cout << "ann was hurt, and works again\n";
  std::cout << CountActive(*crew) << " active\n";
}
