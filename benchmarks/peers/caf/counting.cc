// One producer sends to a counter, then asks it for the total.
//
// The idiom differs: the total is the result of a handler, and the answer to a
// request.
#include "stage.h"

namespace peer {
namespace {

using GetTotal = caf::atom_constant<caf::atom("getTotal")>;
using Produce = caf::atom_constant<caf::atom("produce")>;

class Counter : public caf::event_based_actor {
 public:
  Counter(caf::actor_config& config, Stage* stage)
      : event_based_actor(config), stage_(*stage) {}

  caf::behavior make_behavior() override {
    return {
        [this](int64_t number) {
          stage_.Check("number", number, count_);
          ++count_;
        },
        [this](GetTotal) { return count_; },
    };
  }

 private:
  Stage& stage_;
  int64_t count_ = 0;
};

class Producer : public caf::event_based_actor {
 public:
  Producer(caf::actor_config& config, Stage* stage, caf::actor counter,
           int64_t messages)
      : event_based_actor(config),
        stage_(*stage),
        counter_(std::move(counter)),
        messages_(messages) {}

  caf::behavior make_behavior() override {
    return {[this](Produce) {
      for (int i = 0; i < kSendsPerTurn && sent_ < messages_; ++i) {
        send(counter_, sent_++);
      }
      if (sent_ < messages_) {
        send(this, Produce::value);
      } else {
        request(counter_, caf::infinite, GetTotal::value)
            .then([this](int64_t total) {
              stage_.Check("total", total, messages_);
              stage_.Finish();
            });
      }
    }};
  }

 private:
  Stage& stage_;
  const caf::actor counter_;
  const int64_t messages_;
  int64_t sent_ = 0;
};

}  // namespace

void StartCounting(Stage& stage) {
  const int64_t messages = stage.Begin(stage.Scaled(5'000'000));
  const caf::actor counter = stage.system().spawn<Counter>(&stage);
  caf::anon_send(stage.system().spawn<Producer>(&stage, counter, messages),
                 Produce::value);
}

}  // namespace peer
