// Two actors play ping-pong until ten.
//
//   ./bazelw run //examples:ping_pong
//
// prints
//
//   ping..pong..ping..pong..ping..pong..ping..pong..ping..pong..
#include <iostream>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"

namespace {

struct Ball;
struct Player : troupe::Protocol<Ball> {};

struct Ball {
  troupe::ActorRef<Player> from;
  int hits;
};

class PingPong : public troupe::Actor<Player> {
 public:
  void Handle(Ball ball) {
    if (ball.hits == 10) {
      std::cout << std::endl;
      ball.from.Stop();
      StopSelf();
      return;
    }
    std::cout << (ball.hits % 2 == 0 ? "ping.." : "pong..");
    ball.from.Send<Ball>(self(), ball.hits + 1);
  }
};

absl::Status Run() {
  absl::StatusOr<std::unique_ptr<troupe::ActorSystem>> system =
      troupe::ActorSystem::Create();
  if (!system.ok()) return system.status();
  absl::StatusOr<troupe::ActorRef<Player>> ann = (*system)->Spawn<PingPong>();
  absl::StatusOr<troupe::ActorRef<Player>> bob = (*system)->Spawn<PingPong>();
  if (!ann.ok()) return ann.status();
  if (!bob.ok()) return bob.status();

  ann->Send<Ball>(*bob, 0);
  (*system)->AwaitNoActors();  // Both stop when the game is over.
  return absl::OkStatus();
}

}  // namespace

int main() {
  const absl::Status status = Run();
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
