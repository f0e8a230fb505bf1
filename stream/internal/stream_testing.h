// What tests of ports have in common: actors that note what they get.
#ifndef TROUPE_STREAM_INTERNAL_STREAM_TESTING_H_
#define TROUPE_STREAM_INTERNAL_STREAM_TESTING_H_

#include <string>
#include <vector>

#include "troupe/actor/actor.h"
#include "troupe/actor/internal/call_testing.h"
#include "troupe/actor/task.h"

namespace troupe::internal {

struct Price {
  int cents;
};
struct Line {
  std::string text;
};

// Writes down what it gets.
class Listener : public Actor<Price, Line, Do> {
 public:
  explicit Listener(std::vector<int>& prices) : prices_(prices) {}
  void Handle(const Price& m) { prices_.push_back(m.cents); }
  void Handle(const Line& m) {
    prices_.push_back(-static_cast<int>(m.text.size()));
  }
  void Handle(Do&& m) { m.body(); }

 private:
  std::vector<int>& prices_;
};

// Takes a price only when it is let: waits in its handler.
class SlowListener : public Actor<Price> {
 public:
  SlowListener(std::vector<int>& prices, Gate::Ref gate)
      : prices_(prices), gate_(gate) {}
  Task<void> Handle(const Price& m) {
    (void)co_await gate_.Call<Pass>();
    prices_.push_back(m.cents);
  }

 private:
  std::vector<int>& prices_;
  const Gate::Ref gate_;
};

}  // namespace troupe::internal

#endif  // TROUPE_STREAM_INTERNAL_STREAM_TESTING_H_
