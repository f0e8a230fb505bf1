// One driver sends to many actors in turn, then asks each for its total.
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/benchmarks/workload.h"

namespace troupe::benchmarks {
namespace {

constexpr int kCounters = 60;

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

struct Drive {};

class Driver : public Actor<Drive, Total> {
 public:
  Driver(Stage& stage, std::vector<Counter::Ref> counters, int64_t numbers_each)
      : stage_(stage),
        counters_(std::move(counters)),
        numbers_each_(numbers_each) {}

  void Handle(Drive) {
    for (int i = 0; i < kSendsPerTurn && number_ < numbers_each_; ++i) {
      counters_[next_].Send<Number>(number_);
      if (++next_ == counters_.size()) {
        next_ = 0;
        ++number_;
      }
    }
    if (number_ < numbers_each_) {
      self().Send<Drive>();
    } else {
      for (const Counter::Ref& counter : counters_) {
        counter.Send<GetTotal>(self());
      }
    }
  }
  void Handle(Total total) {
    if (!stage_.Check("total", total.count, numbers_each_)) return;
    if (++totals_ == counters_.size()) stage_.Finish();
  }

 private:
  Stage& stage_;
  const std::vector<Counter::Ref> counters_;
  const int64_t numbers_each_;
  int64_t number_ = 0;
  size_t next_ = 0;  // Who gets `number_` next.
  size_t totals_ = 0;
};

}  // namespace

void StartForkJoinThroughput(Stage& stage) {
  const int64_t numbers_each = stage.Scaled(200'000);
  stage.Begin(kCounters * numbers_each);
  std::vector<Counter::Ref> counters;
  for (int i = 0; i < kCounters; ++i) {
    counters.push_back(stage.there().Spawn<Counter>(stage).value());
  }
  stage.here()
      .Spawn<Driver>(stage, std::move(counters), numbers_each)
      .value()
      .Send<Drive>();
}

}  // namespace troupe::benchmarks
