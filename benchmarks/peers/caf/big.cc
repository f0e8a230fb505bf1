// Many actors send pings to others at random, one at a time, and answer those
// that they get.
//
// The idiom differs: CAF passes the sender of a ping along.
#include <memory>
#include <random>
#include <vector>

#include "stage.h"

namespace peer {
namespace {

using Done = caf::atom_constant<caf::atom("done")>;
using Ping = caf::atom_constant<caf::atom("ping")>;
using Pong = caf::atom_constant<caf::atom("pong")>;
using Start = caf::atom_constant<caf::atom("start")>;

constexpr int kPeers = 120;

using Crowd = std::vector<caf::actor>;

class Referee : public caf::event_based_actor {
 public:
  Referee(caf::actor_config& config, Stage* stage, int64_t pings_each)
      : event_based_actor(config), stage_(*stage), pings_each_(pings_each) {}

  caf::behavior make_behavior() override {
    return {[this](Done, int64_t pongs) {
      stage_.Check("pongs", pongs, pings_each_);
      if (++done_ == kPeers) stage_.Finish();
    }};
  }

 private:
  Stage& stage_;
  const int64_t pings_each_;
  int done_ = 0;
};

class Peer : public caf::event_based_actor {
 public:
  Peer(caf::actor_config& config, Stage* stage, caf::actor referee, int index,
       int64_t pings)
      : event_based_actor(config),
        stage_(*stage),
        referee_(std::move(referee)),
        index_(index),
        pings_(pings),
        random_(index + 1) {}

  caf::behavior make_behavior() override {
    return {
        [this](Ping, int64_t number) {
          send(caf::actor_cast<caf::actor>(current_sender()), Pong::value,
               number);
        },
        [this](Pong, int64_t number) {
          stage_.Check("number of a pong", number, pongs_);
          if (++pongs_ < pings_) {
            SendPing();
          } else {
            send(referee_, Done::value, pongs_);
          }
        },
        [this](Start, const Crowd& crowd) {
          crowd_ = crowd;
          SendPing();
        },
    };
  }

  // Opens the circles of references.
  void on_exit() override { crowd_.clear(); }

 private:
  void SendPing() {
    // Any but this one.
    const size_t other = random_() % (kPeers - 1);
    send(crowd_[other < index_ ? other : other + 1], Ping::value, pongs_);
  }

  Stage& stage_;
  const caf::actor referee_;
  const size_t index_;
  const int64_t pings_;
  std::minstd_rand random_;
  Crowd crowd_;
  int64_t pongs_ = 0;
};

}  // namespace

void StartBig(Stage& stage) {
  const int64_t pings_each = stage.Scaled(20'000);
  stage.Begin(2 * kPeers * pings_each);
  const caf::actor referee = stage.system().spawn<Referee>(&stage, pings_each);
  Crowd crowd;
  for (int i = 0; i < kPeers; ++i) {
    crowd.push_back(stage.system().spawn<Peer>(&stage, referee, i, pings_each));
    stage.KeepUntilDone(crowd.back());
  }
  for (const caf::actor& peer : crowd) {
    caf::anon_send(peer, Start::value, crowd);
  }
}

}  // namespace peer
