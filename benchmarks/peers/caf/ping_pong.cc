// Two actors exchange messages, one at a time.
//
// The idiom differs: CAF passes the sender of each message along.
#include "stage.h"

namespace peer {
namespace {

class PingPong : public caf::event_based_actor {
 public:
  PingPong(caf::actor_config& config, Stage* stage, int64_t first, int64_t last)
      : event_based_actor(config), stage_(*stage), next_(first), last_(last) {}

  caf::behavior make_behavior() override {
    return {[this](int64_t ball) {
      stage_.Check("number of a ball", ball, next_);
      next_ += 2;
      if (ball == last_) {
        stage_.Finish();
      } else {
        send(caf::actor_cast<caf::actor>(current_sender()), ball + 1);
      }
    }};
  }

 private:
  Stage& stage_;
  int64_t next_;
  const int64_t last_;
};

}  // namespace

void StartPingPong(Stage& stage) {
  const int64_t messages = stage.Begin(stage.Scaled(2'000'000));
  const caf::actor ann =
      stage.system().spawn<PingPong>(&stage, int64_t{1}, messages);
  const caf::actor bob =
      stage.system().spawn<PingPong>(&stage, int64_t{2}, messages);
  caf::send_as(bob, ann, int64_t{1});
}

}  // namespace peer
