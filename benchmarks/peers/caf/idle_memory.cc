// Many actors are alive and have nothing to do.
//
// The idiom differs: an actor that nobody refers to ends, so the one that
// spawns them keeps references.
#include <vector>

#include "stage.h"

namespace peer {
namespace {

using SpawnSome = caf::atom_constant<caf::atom("spawnSome")>;
using Wake = caf::atom_constant<caf::atom("wake")>;

class Sleeper : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;

  caf::behavior make_behavior() override {
    return {[this](Wake) { ++woken_; }};
  }

 private:
  int64_t woken_ = 0;
};

class Keeper : public caf::event_based_actor {
 public:
  Keeper(caf::actor_config& config, Stage* stage, int64_t sleepers)
      : event_based_actor(config), stage_(*stage), sleepers_(sleepers) {
    kept_.reserve(sleepers);
  }

  caf::behavior make_behavior() override {
    return {[this](SpawnSome) {
      for (int i = 0; i < kSendsPerTurn && kept_.size() < sleepers_; ++i) {
        kept_.push_back(spawn<Sleeper>());
      }
      if (kept_.size() < sleepers_) {
        send(this, SpawnSome::value);
      } else {
        stage_.Check("alive, this one apart",
                     static_cast<int64_t>(system().registry().running()) - 1,
                     static_cast<int64_t>(sleepers_));
        stage_.Finish();
        quit();
      }
    }};
  }

 private:
  Stage& stage_;
  const size_t sleepers_;
  std::vector<caf::actor> kept_;
};

}  // namespace

void StartIdleMemory(Stage& stage) {
  const int64_t actors = stage.Begin(stage.Scaled(1'000'000));
  caf::anon_send(stage.system().spawn<Keeper>(&stage, actors),
                 SpawnSome::value);
}

}  // namespace peer
