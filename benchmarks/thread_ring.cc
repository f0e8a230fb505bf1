// Actors in a ring pass one token on.
#include <cstdint>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

constexpr int kNodes = 503;

struct Token {
  int64_t hops_left;
};
struct Neighbour {
  ActorRef<Token> next;
};

class Node : public Actor<Neighbour, Token> {
 public:
  Node(Stage& stage, int index, int last_index)
      : stage_(stage), index_(index), last_index_(last_index) {}

  void Handle(Neighbour neighbour) { next_ = neighbour.next; }

  void Handle(Token token) {
    if (token.hops_left > 0) {
      next_.Send<Token>(token.hops_left - 1);
    } else if (stage_.Check("the token's last node", index_, last_index_)) {
      stage_.Finish();
    }
  }

 private:
  Stage& stage_;
  const int index_;
  const int last_index_;
  ActorRef<Token> next_;
};

}  // namespace

void StartThreadRing(Stage& stage) {
  const int64_t hops = stage.Begin(stage.Scaled(5'000'000));
  std::vector<Node::Ref> nodes;
  for (int i = 0; i < kNodes; ++i) {
    nodes.push_back(stage.here().Spawn<Node>(stage, i, hops % kNodes).value());
  }
  for (int i = 0; i < kNodes; ++i) {
    nodes[i].Send<Neighbour>(nodes[(i + 1) % kNodes]);
  }
  nodes[0].Send<Token>(hops);
}

}  // namespace troupe::benchmarks
