// A tree of actors, ten below each, sums up the numbers of its leaves.
//
// The idiom differs: an actor whose behaviour is empty ends.
#include "stage.h"

namespace peer {
namespace {

constexpr int kBranches = 10;

// The root of a tree over the leaves `first`, `first` + 1, ...
class Tree : public caf::event_based_actor {
 public:
  Tree(caf::actor_config& config, caf::actor parent, int64_t first,
       int64_t leaves)
      : event_based_actor(config),
        parent_(std::move(parent)),
        first_(first),
        leaves_(leaves) {}

  caf::behavior make_behavior() override {
    if (leaves_ == 1) {
      send(parent_, first_);
      return {};
    }
    const int64_t below = leaves_ / kBranches;
    for (int i = 0; i < kBranches; ++i) {
      spawn<Tree>(caf::actor_cast<caf::actor>(this), first_ + i * below, below);
    }
    return {[this](int64_t sum) {
      sum_ += sum;
      if (++sums_ < kBranches) return;
      send(parent_, sum_);
      quit();
    }};
  }

 private:
  const caf::actor parent_;
  const int64_t first_;
  const int64_t leaves_;
  int64_t sum_ = 0;
  int sums_ = 0;
};

class Judge : public caf::event_based_actor {
 public:
  Judge(caf::actor_config& config, Stage* stage, int64_t leaves)
      : event_based_actor(config), stage_(*stage), leaves_(leaves) {}

  caf::behavior make_behavior() override {
    return {[this](int64_t sum) {
      stage_.Check("sum", sum, leaves_ * (leaves_ - 1) / 2);
      stage_.Finish();
    }};
  }

 private:
  Stage& stage_;
  const int64_t leaves_;
};

}  // namespace

void StartSkynet(Stage& stage) {
  const int64_t wanted = stage.Scaled(1'000'000);
  int64_t leaves = 1;
  int64_t actors = 1;
  while (leaves * kBranches <= wanted) {
    leaves *= kBranches;
    actors += leaves;
  }
  stage.Begin(actors);
  const caf::actor judge = stage.system().spawn<Judge>(&stage, leaves);
  stage.system().spawn<Tree>(judge, int64_t{0}, leaves);
}

}  // namespace peer
