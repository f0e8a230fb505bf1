// Eight producers send to one sink.
#include <array>

#include "stage.h"

namespace peer {
namespace {

using Produce = caf::atom_constant<caf::atom("produce")>;

constexpr int kProducers = 8;

class Sink : public caf::event_based_actor {
 public:
  Sink(caf::actor_config& config, Stage* stage, int64_t items)
      : event_based_actor(config), stage_(*stage), missing_(items) {}

  caf::behavior make_behavior() override {
    return {[this](int32_t producer, int64_t number) {
      int64_t& received = received_[producer];
      stage_.Check("number of an item", number, received);
      ++received;
      if (--missing_ == 0) stage_.Finish();
    }};
  }

 private:
  Stage& stage_;
  int64_t missing_;
  std::array<int64_t, kProducers> received_ = {};
};

class Producer : public caf::event_based_actor {
 public:
  Producer(caf::actor_config& config, caf::actor sink, int32_t index,
           int64_t items)
      : event_based_actor(config),
        sink_(std::move(sink)),
        index_(index),
        items_(items) {}

  caf::behavior make_behavior() override {
    return {[this](Produce) {
      for (int i = 0; i < kSendsPerTurn && sent_ < items_; ++i) {
        send(sink_, index_, sent_++);
      }
      if (sent_ < items_) send(this, Produce::value);
    }};
  }

 private:
  const caf::actor sink_;
  const int32_t index_;
  const int64_t items_;
  int64_t sent_ = 0;
};

}  // namespace

void StartFanin(Stage& stage) {
  const int64_t items_each = stage.Scaled(1'000'000);
  const int64_t items = stage.Begin(kProducers * items_each);
  const caf::actor sink = stage.system().spawn<Sink>(&stage, items);
  for (int32_t i = 0; i < kProducers; ++i) {
    caf::anon_send(stage.system().spawn<Producer>(sink, i, items_each),
                   Produce::value);
  }
}

}  // namespace peer
