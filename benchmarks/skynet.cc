// A tree of actors, ten below each, sums up the numbers of its leaves.
#include <cstdint>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

constexpr int kBranches = 10;

struct Sum {
  int64_t value;
};

// The root of a tree over the leaves `first`, `first` + 1, ...
class Tree : public Actor<Sum> {
 public:
  Tree(ActorRef<Sum> parent, int64_t first, int64_t leaves)
      : parent_(parent), first_(first), leaves_(leaves) {}

  void PostStart() {
    if (leaves_ == 1) {
      parent_.Send<Sum>(first_);
      StopSelf();
      return;
    }
    const int64_t below = leaves_ / kBranches;
    for (int i = 0; i < kBranches; ++i) {
      Spawn<Tree>(self(), first_ + i * below, below).value();
    }
  }

  void Handle(Sum sum) {
    sum_ += sum.value;
    if (++sums_ < kBranches) return;
    parent_.Send<Sum>(sum_);
    StopSelf();
  }

 private:
  const ActorRef<Sum> parent_;
  const int64_t first_;
  const int64_t leaves_;
  int64_t sum_ = 0;
  int sums_ = 0;
};

class Judge : public Actor<Sum> {
 public:
  Judge(Stage& stage, int64_t leaves) : stage_(stage), leaves_(leaves) {}

  void Handle(Sum sum) {
    if (stage_.Check("sum", sum.value, leaves_ * (leaves_ - 1) / 2)) {
      stage_.Finish();
    }
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
  const Judge::Ref judge = stage.here().Spawn<Judge>(stage, leaves).value();
  stage.here().Spawn<Tree>(judge, 0, leaves).value();
}

}  // namespace troupe::benchmarks
