// One actor spawns many that get one message each and stop, and waits for all.
//
// The idiom differs: CAF's actors have no parents, so the one that waits
// monitors the others; that is no reference that keeps it alive.
#include "stage.h"

namespace peer {
namespace {

using Breed = caf::atom_constant<caf::atom("breed")>;
using Live = caf::atom_constant<caf::atom("live")>;

class Mayfly : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;

  caf::behavior make_behavior() override {
    return {[this](Live) { quit(); }};
  }
};

class Breeder : public caf::event_based_actor {
 public:
  Breeder(caf::actor_config& config, Stage* stage, int64_t mayflies)
      : event_based_actor(config),
        stage_(*stage),
        to_spawn_(mayflies),
        alive_(mayflies) {
    set_down_handler([this](const caf::down_msg&) {
      if (--alive_ == 0) stage_.Finish();
    });
  }

  caf::behavior make_behavior() override {
    return {[this](Breed) {
      for (int i = 0; i < kSendsPerTurn && to_spawn_ > 0; ++i, --to_spawn_) {
        send(spawn<Mayfly, caf::monitored>(), Live::value);
      }
      if (to_spawn_ > 0) send(this, Breed::value);
    }};
  }

 private:
  Stage& stage_;
  int64_t to_spawn_;
  int64_t alive_;
};

}  // namespace

void StartForkJoinCreate(Stage& stage) {
  const int64_t actors = stage.Begin(stage.Scaled(1'000'000));
  const caf::actor breeder = stage.system().spawn<Breeder>(&stage, actors);
  stage.KeepUntilDone(breeder);
  caf::anon_send(breeder, Breed::value);
}

}  // namespace peer
