// One actor spawns many that get one message each and stop, and waits for all.
#include <cstdint>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

struct Live {};

class Mayfly : public Actor<Live> {
 public:
  void Handle(Live) { StopSelf(); }
};

struct Breed {};

class Breeder : public Actor<Breed> {
 public:
  Breeder(Stage& stage, int64_t mayflies)
      : stage_(stage), to_spawn_(mayflies), alive_(mayflies) {}

  void Handle(Breed) {
    for (int i = 0; i < kSendsPerTurn && to_spawn_ > 0; ++i, --to_spawn_) {
      Spawn<Mayfly>().value().Send<Live>();
    }
    if (to_spawn_ > 0) self().Send<Breed>();
  }

  void OnChild(const ChildEvent& event) {
    if (event.kind == ChildEvent::Kind::kStarted) return;
    if (--alive_ == 0) stage_.Finish();
  }

 private:
  Stage& stage_;
  int64_t to_spawn_;
  int64_t alive_;
};

}  // namespace

void StartForkJoinCreate(Stage& stage) {
  const int64_t actors = stage.Begin(stage.Scaled(1'000'000));
  stage.here().Spawn<Breeder>(stage, actors).value().Send<Breed>();
}

}  // namespace troupe::benchmarks
