// Runs one workload once, on one worker, with as many operations as wanted:
//
//   instructions_probe ping_pong 0.01     # a hundredth of the usual number
//
// Besides all workloads it knows
//   plain_pair          as ping_pong, without what that does to check its
//                       messages: what the runtime takes for its own
//   spawn_message_stop  as fork_join_create, with a parent that does not listen
//                       to what becomes of its children
//
// For instructions.sh, which counts the instructions of the worker's thread.
// Prints the number of operations.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/stage.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

constexpr absl::Duration kTimeout = absl::Minutes(5);

struct Live {};

class Mayfly : public Actor<Live> {
 public:
  void Handle(Live) { StopSelf(); }
};

struct Breed {};

class Breeder : public Actor<Breed> {
 public:
  Breeder(Stage& stage, int64_t mayflies)
      : stage_(stage), to_spawn_(mayflies) {}

  void Handle(Breed) {
    for (int i = 0; i < kSendsPerTurn && to_spawn_ > 0; ++i, --to_spawn_) {
      Spawn<Mayfly>().value().Send<Live>();
    }
    if (to_spawn_ > 0 || system().live_actors() > 1) {
      self().Send<Breed>();
    } else {
      stage_.Finish();
    }
  }

 private:
  Stage& stage_;
  int64_t to_spawn_;
};

void StartSpawnMessageStop(Stage& stage) {
  const int64_t actors = stage.Begin(stage.Scaled(1'000'000));
  stage.here().Spawn<Breeder>(stage, actors).value().Send<Breed>();
}

struct Ball {};
struct Meet {
  ActorRef<Ball> other;
};

class Player : public Actor<Ball, Meet> {
 public:
  Player(Stage& stage, int64_t balls) : stage_(stage), left_(balls) {}

  void Handle(Meet m) { other_ = m.other; }
  void Handle(Ball) {
    if (--left_ == 0) {
      stage_.Finish();
    } else {
      other_.Send<Ball>();
    }
  }

 private:
  Stage& stage_;
  ActorRef<Ball> other_;
  int64_t left_;
};

void StartPlainPair(Stage& stage) {
  const int64_t balls = stage.Begin(stage.Scaled(2'000'000));
  const Player::Ref ann =
      stage.here().Spawn<Player>(stage, balls / 2 + 1).value();
  const Player::Ref bob = stage.here().Spawn<Player>(stage, balls / 2).value();
  ann.Send<Meet>(bob);
  bob.Send<Meet>(ann);
  ann.Send<Ball>();
}

absl::StatusOr<Measured> Run(const std::string& name, double scale) {
  std::vector<Workload> workloads(std::begin(kWorkloads), std::end(kWorkloads));
  workloads.push_back({.name = "plain_pair", .start = StartPlainPair});
  workloads.push_back(
      {.name = "spawn_message_stop", .start = StartSpawnMessageStop});
  for (const Workload& workload : workloads) {
    if (workload.name != name) continue;
    absl::StatusOr<std::unique_ptr<Stage>> stage = Stage::Create({
        .scale = scale,
        // All is slow under an instrumentation, and no turn is a long one.
        .take_over_after = absl::InfiniteDuration(),
    });
    if (!stage.ok()) return stage.status();
    workload.start(**stage);
    return (*stage)->Await(kTimeout);
  }
  return absl::InvalidArgumentError(absl::StrCat("no workload ", name));
}

}  // namespace
}  // namespace troupe::benchmarks

int main(int argc, char** argv) {
  // Costs instructions for each lock in Debian's build of Abseil.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  double scale = 0;
  if (argc != 3 || !absl::SimpleAtod(argv[2], &scale) || !(scale > 0)) {
    std::cerr << "usage: instructions_probe WORKLOAD SCALE\n";
    return EXIT_FAILURE;
  }
  const absl::StatusOr<troupe::benchmarks::Measured> measured =
      troupe::benchmarks::Run(argv[1], scale);
  if (!measured.ok()) {
    std::cerr << argv[1] << ": " << measured.status().message() << "\n";
    return EXIT_FAILURE;
  }
  std::cout << measured->operations << "\n";
  return EXIT_SUCCESS;
}
