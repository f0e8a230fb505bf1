// Many actors send pings to others at random, one at a time, and answer those
// that they get.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/base/random.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

constexpr int kPeers = 120;

struct Pong {
  int64_t number;
};
struct Ping {
  ActorRef<Pong> from;
  int64_t number;
};
using Crowd = std::vector<ActorRef<Ping>>;
struct Start {
  std::shared_ptr<const Crowd> crowd;
};

// A peer has all its answers.
struct Done {
  int64_t pongs;
};

class Referee : public Actor<Done> {
 public:
  Referee(Stage& stage, int64_t pings_each)
      : stage_(stage), pings_each_(pings_each) {}

  void Handle(Done done) {
    if (!stage_.Check("pongs", done.pongs, pings_each_)) return;
    if (++done_ == kPeers) stage_.Finish();
  }

 private:
  Stage& stage_;
  const int64_t pings_each_;
  int done_ = 0;
};

class Peer : public Actor<Start, Ping, Pong> {
 public:
  Peer(Stage& stage, Referee::Ref referee, int index, int64_t pings)
      : stage_(stage),
        referee_(referee),
        index_(index),
        pings_(pings),
        random_(index) {}

  void Handle(Start start) {
    crowd_ = std::move(start.crowd);
    SendPing();
  }
  void Handle(Ping ping) { ping.from.Send<Pong>(ping.number); }
  void Handle(Pong pong) {
    if (!stage_.Check("number of a pong", pong.number, pongs_)) return;
    if (++pongs_ < pings_) {
      SendPing();
    } else {
      referee_.Send<Done>(pongs_);
    }
  }

 private:
  void SendPing() {
    // Any but this one.
    const size_t other = random_.Uniform(kPeers - 1);
    (*crowd_)[other < index_ ? other : other + 1].Send<Ping>(self(), pongs_);
  }

  Stage& stage_;
  const Referee::Ref referee_;
  const size_t index_;
  const int64_t pings_;
  Random random_;
  std::shared_ptr<const Crowd> crowd_;
  int64_t pongs_ = 0;
};

}  // namespace

void StartBig(Stage& stage) {
  const int64_t pings_each = stage.Scaled(20'000);
  stage.Begin(2 * kPeers * pings_each);
  const Referee::Ref referee =
      stage.here().Spawn<Referee>(stage, pings_each).value();
  std::vector<Peer::Ref> peers;
  for (int i = 0; i < kPeers; ++i) {
    ActorSystem& system = i % 2 == 0 ? stage.here() : stage.there();
    peers.push_back(system.Spawn<Peer>(stage, referee, i, pings_each).value());
  }
  const auto crowd = std::make_shared<const Crowd>(peers.begin(), peers.end());
  for (const Peer::Ref& peer : peers) peer.Send<Start>(crowd);
}

}  // namespace troupe::benchmarks
