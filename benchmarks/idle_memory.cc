// Many actors are alive and have nothing to do.
#include <cstdint>

#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

struct Wake {};

class Sleeper : public Actor<Wake> {
 public:
  void Handle(Wake) { ++woken_; }

 private:
  int64_t woken_ = 0;
};

struct SpawnSome {};

class Keeper : public Actor<SpawnSome> {
 public:
  Keeper(Stage& stage, int64_t sleepers)
      : stage_(stage), sleepers_(sleepers), to_spawn_(sleepers) {}

  void Handle(SpawnSome) {
    for (int i = 0; i < kSendsPerTurn && to_spawn_ > 0; ++i, --to_spawn_) {
      if (!stage_.Check("spawned", Spawn<Sleeper>().ok(), true)) return;
    }
    if (to_spawn_ > 0) {
      self().Send<SpawnSome>();
    } else if (stage_.Check("alive, this one apart", system().live_actors() - 1,
                            sleepers_)) {
      stage_.Finish();
    }
  }

 private:
  Stage& stage_;
  const int64_t sleepers_;
  int64_t to_spawn_;
};

}  // namespace

void StartIdleMemory(Stage& stage) {
  const int64_t actors = stage.Begin(stage.Scaled(1'000'000));
  stage.here().Spawn<Keeper>(stage, actors).value().Send<SpawnSome>();
}

}  // namespace troupe::benchmarks
