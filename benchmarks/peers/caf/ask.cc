// One actor calls another, one call at a time.
//
// The idiom differs: a coroutine awaits nothing here, the answer goes to a
// function; and a request has no deadline, as in most of CAF's examples.
#include "stage.h"

namespace peer {
namespace {

using Ask = caf::atom_constant<caf::atom("ask")>;

class Server : public caf::event_based_actor {
 public:
  using event_based_actor::event_based_actor;

  caf::behavior make_behavior() override {
    return {[](int64_t number) { return number * number; }};
  }
};

class Client : public caf::event_based_actor {
 public:
  Client(caf::actor_config& config, Stage* stage, caf::actor server,
         int64_t calls)
      : event_based_actor(config),
        stage_(*stage),
        server_(std::move(server)),
        calls_(calls) {}

  caf::behavior make_behavior() override {
    return {[this](Ask) { Call(); }};
  }

 private:
  void Call() {
    request(server_, caf::infinite, number_).then([this](int64_t answer) {
      stage_.Check("an answer", answer, number_ * number_);
      if (++number_ < calls_) {
        Call();
      } else {
        stage_.Finish();
      }
    });
  }

  Stage& stage_;
  const caf::actor server_;
  const int64_t calls_;
  int64_t number_ = 0;
};

}  // namespace

void StartAsk(Stage& stage) {
  const int64_t calls = stage.Begin(stage.Scaled(500'000));
  const caf::actor server = stage.system().spawn<Server>();
  const caf::actor client = stage.system().spawn<Client>(&stage, server, calls);
  stage.KeepUntilDone(client);
  caf::anon_send(client, Ask::value);
}

}  // namespace peer
