// A plain thread calls an actor, one call at a time.
//
// The idiom differs: the thread is a scoped actor while it does so, and a
// request has no deadline.
#include "stage.h"

namespace peer {
namespace {

class Server : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;

  caf::behavior make_behavior() override {
    return {[](int64_t number) { return number * number; }};
  }
};

}  // namespace

void StartAskOutside(Stage& stage) {
  const int64_t calls = stage.Begin(stage.Scaled(100'000));
  const caf::actor server = stage.system().spawn<Server>();
  caf::scoped_actor self(stage.system());
  for (int64_t i = 0; i < calls; ++i) {
    self->request(server, caf::infinite, i)
        .receive(
            [&](int64_t answer) { stage.Check("an answer", answer, i * i); },
            [&](const caf::error&) { stage.Check("an answer", -1, i * i); });
  }
  stage.Finish();
}

}  // namespace peer
