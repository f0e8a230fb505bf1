// One driver sends to many actors in turn, then asks each for its total.
#include <vector>

#include "stage.h"

namespace peer {
namespace {

using Drive = caf::atom_constant<caf::atom("drive")>;
using GetTotal = caf::atom_constant<caf::atom("getTotal")>;

constexpr int kCounters = 60;

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

class Driver : public caf::event_based_actor {
 public:
  Driver(caf::actor_config& config, Stage* stage,
         std::vector<caf::actor> counters, int64_t numbers_each)
      : event_based_actor(config),
        stage_(*stage),
        counters_(std::move(counters)),
        numbers_each_(numbers_each) {}

  caf::behavior make_behavior() override {
    return {[this](Drive) {
      for (int i = 0; i < kSendsPerTurn && number_ < numbers_each_; ++i) {
        send(counters_[next_], number_);
        if (++next_ == counters_.size()) {
          next_ = 0;
          ++number_;
        }
      }
      if (number_ < numbers_each_) {
        send(this, Drive::value);
      } else {
        AskForTotals();
      }
    }};
  }

 private:
  void AskForTotals() {
    for (const caf::actor& counter : counters_) {
      request(counter, caf::infinite, GetTotal::value)
          .then([this](int64_t total) {
            stage_.Check("total", total, numbers_each_);
            if (++totals_ == counters_.size()) stage_.Finish();
          });
    }
  }

  Stage& stage_;
  const std::vector<caf::actor> counters_;
  const int64_t numbers_each_;
  int64_t number_ = 0;
  size_t next_ = 0;  // Who gets `number_` next.
  size_t totals_ = 0;
};

}  // namespace

void StartForkJoinThroughput(Stage& stage) {
  const int64_t numbers_each = stage.Scaled(200'000);
  stage.Begin(kCounters * numbers_each);
  std::vector<caf::actor> counters;
  for (int i = 0; i < kCounters; ++i) {
    counters.push_back(stage.system().spawn<Counter>(&stage));
  }
  caf::anon_send(
      stage.system().spawn<Driver>(&stage, std::move(counters), numbers_each),
      Drive::value);
}

}  // namespace peer
