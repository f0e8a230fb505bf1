// Eight producers send to one sink.
#include <array>
#include <cstdint>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

constexpr int kProducers = 8;

struct Item {
  int producer;
  int64_t number;
};

class Sink : public Actor<Item> {
 public:
  Sink(Stage& stage, int64_t items) : stage_(stage), missing_(items) {}

  void Handle(Item item) {
    int64_t& received = received_[item.producer];
    if (!stage_.Check("number of an item", item.number, received)) return;
    ++received;
    if (--missing_ == 0) stage_.Finish();
  }

 private:
  Stage& stage_;
  int64_t missing_;
  std::array<int64_t, kProducers> received_ = {};
};

struct Produce {};

class Producer : public Actor<Produce> {
 public:
  Producer(Sink::Ref sink, int index, int64_t items)
      : sink_(sink), index_(index), items_(items) {}

  void Handle(Produce) {
    for (int i = 0; i < kSendsPerTurn && sent_ < items_; ++i) {
      sink_.Send<Item>(index_, sent_++);
    }
    if (sent_ < items_) self().Send<Produce>();
  }

 private:
  const Sink::Ref sink_;
  const int index_;
  const int64_t items_;
  int64_t sent_ = 0;
};

}  // namespace

void StartFanin(Stage& stage) {
  const int64_t items_each = stage.Scaled(1'000'000);
  const int64_t items = stage.Begin(kProducers * items_each);
  const Sink::Ref sink = stage.there().Spawn<Sink>(stage, items).value();
  for (int i = 0; i < kProducers; ++i) {
    stage.here().Spawn<Producer>(sink, i, items_each).value().Send<Produce>();
  }
}

}  // namespace troupe::benchmarks
