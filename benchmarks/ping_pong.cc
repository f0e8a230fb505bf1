// Two actors exchange messages, one at a time.
#include <cstdint>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

struct Ball;
struct Player : Protocol<Ball> {};

struct Ball {
  ActorRef<Player> from;
  int64_t number;
};

class PingPong : public Actor<Player> {
 public:
  PingPong(Stage& stage, int64_t first, int64_t last)
      : stage_(stage), next_(first), last_(last) {}

  void Handle(Ball ball) {
    if (!stage_.Check("number of a ball", ball.number, next_)) return;
    next_ += 2;
    if (ball.number == last_) {
      stage_.Finish();
    } else {
      ball.from.Send<Ball>(self(), ball.number + 1);
    }
  }

 private:
  Stage& stage_;
  int64_t next_;
  const int64_t last_;
};

}  // namespace

void StartPingPong(Stage& stage) {
  const int64_t messages = stage.Begin(stage.Scaled(2'000'000));
  const ActorRef<Player> ann =
      stage.here().Spawn<PingPong>(stage, 1, messages).value();
  const ActorRef<Player> bob =
      stage.there().Spawn<PingPong>(stage, 2, messages).value();
  ann.Send<Ball>(bob, 1);
}

}  // namespace troupe::benchmarks
