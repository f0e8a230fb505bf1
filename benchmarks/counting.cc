// One producer sends to a counter, then asks it for the total.
#include <cstdint>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

struct Number {
  int64_t value;
};
struct Total {
  int64_t count;
};
struct GetTotal {
  ActorRef<Total> reply_to;
};

class Counter : public Actor<Number, GetTotal> {
 public:
  explicit Counter(Stage& stage) : stage_(stage) {}

  void Handle(Number number) {
    stage_.Check("number", number.value, count_);
    ++count_;
  }
  void Handle(GetTotal request) { request.reply_to.Send<Total>(count_); }

 private:
  Stage& stage_;
  int64_t count_ = 0;
};

struct Produce {};

class Producer : public Actor<Produce, Total> {
 public:
  Producer(Stage& stage, Counter::Ref counter, int64_t messages)
      : stage_(stage), counter_(counter), messages_(messages) {}

  void Handle(Produce) {
    for (int i = 0; i < kSendsPerTurn && sent_ < messages_; ++i) {
      counter_.Send<Number>(sent_++);
    }
    if (sent_ < messages_) {
      self().Send<Produce>();
    } else {
      counter_.Send<GetTotal>(self());
    }
  }
  void Handle(Total total) {
    if (stage_.Check("total", total.count, messages_)) stage_.Finish();
  }

 private:
  Stage& stage_;
  const Counter::Ref counter_;
  const int64_t messages_;
  int64_t sent_ = 0;
};

}  // namespace

void StartCounting(Stage& stage) {
  const int64_t messages = stage.Begin(stage.Scaled(5'000'000));
  const Counter::Ref counter = stage.there().Spawn<Counter>(stage).value();
  stage.here()
      .Spawn<Producer>(stage, counter, messages)
      .value()
      .Send<Produce>();
}

}  // namespace troupe::benchmarks
