// Actors in a ring pass one token on.
#include <vector>

#include "stage.h"

namespace peer {
namespace {

constexpr int kNodes = 503;

class Node : public caf::event_based_actor {
 public:
  Node(caf::actor_config& config, Stage* stage, int64_t index,
       int64_t last_index)
      : event_based_actor(config),
        stage_(*stage),
        index_(index),
        last_index_(last_index) {}

  caf::behavior make_behavior() override {
    return {
        [this](const caf::actor& next) { next_ = next; },
        [this](int64_t hops_left) {
          if (hops_left > 0) {
            send(next_, hops_left - 1);
          } else {
            stage_.Check("the token's last node", index_, last_index_);
            stage_.Finish();
          }
        },
    };
  }

  // Opens the circle of references.
  void on_exit() override { next_ = nullptr; }

 private:
  Stage& stage_;
  const int64_t index_;
  const int64_t last_index_;
  caf::actor next_;
};

}  // namespace

void StartThreadRing(Stage& stage) {
  const int64_t hops = stage.Begin(stage.Scaled(5'000'000));
  std::vector<caf::actor> nodes;
  for (int64_t i = 0; i < kNodes; ++i) {
    nodes.push_back(stage.system().spawn<Node>(&stage, i, hops % kNodes));
    stage.KeepUntilDone(nodes.back());
  }
  for (int i = 0; i < kNodes; ++i) {
    caf::anon_send(nodes[i], nodes[(i + 1) % kNodes]);
  }
  caf::anon_send(nodes[0], hops);
}

}  // namespace peer
