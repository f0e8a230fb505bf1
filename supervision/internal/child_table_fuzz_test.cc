// A table of children against lists of them, through the calls that the input
// says.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/supervision/child_options.h"
#include "troupe/supervision/internal/child_table.h"
#include "troupe/supervision/internal/supervisor_command.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe::internal {
namespace {

class World {
 public:
  explicit World(FuzzInput& input) : input_(input) {}

  void Step() {
    switch (input_.Uniform(5)) {
      case 0:
        return Add();
      case 1: {
        const auto place = std::find(order_.begin(), order_.end(), SomeKey());
        if (place == order_.end()) return;
        table_.Unlist(*place);
        order_.erase(place);
        return;
      }
      case 2: {
        const ChildKey key = SomeKey();
        if (key == kNoChild || table_[key].listed || !waiters_[key].empty()) {
          return;
        }
        table_.Release(key);
        backoffs_.erase(key);
        return;
      }
      case 3: {
        const ChildKey key = SomeKey();
        if (key == kNoChild) return;
        table_.AddWaiter(key, {.ticket = ++last_ticket_});
        waiters_[key].push_back(last_ticket_);
        return;
      }
      default: {
        const ChildKey key = SomeKey();
        if (key == kNoChild || waiters_[key].empty()) return;
        EXPECT_EQ(table_.TakeWaiter(key).ticket, waiters_[key].front());
        waiters_[key].pop_front();
      }
    }
  }

  void Check() const {
    std::vector<ChildKey> forwards;
    for (ChildKey key = table_.first(); key != kNoChild;
         key = table_[key].next) {
      forwards.push_back(key);
      ASSERT_LE(forwards.size(), order_.size());
    }
    EXPECT_EQ(forwards, order_);
    std::vector<ChildKey> backwards;
    for (ChildKey key = table_.last(); key != kNoChild;
         key = table_[key].previous) {
      backwards.insert(backwards.begin(), key);
      ASSERT_LE(backwards.size(), order_.size());
    }
    EXPECT_EQ(backwards, order_);
    EXPECT_EQ(table_.size(), order_.size());
    EXPECT_TRUE(std::is_sorted(order_.begin(), order_.end(),
                               [this](ChildKey a, ChildKey b) {
                                 return table_[a].rank < table_[b].rank;
                               }));
    for (const auto& [key, backoff] : backoffs_) {
      const RestartBackoff* const kept = table_.backoff(key);
      EXPECT_EQ(kept != nullptr ? std::optional(*kept) : std::nullopt, backoff);
      const auto waiting = waiters_.find(key);
      const size_t waiters =
          waiting != waiters_.end() ? waiting->second.size() : 0;
      EXPECT_EQ(table_.CountWaiters(key), waiters);
      EXPECT_EQ(table_.HasWaiter(key), waiters > 0);
    }
  }

 private:
  // One that has not been released.
  ChildKey SomeKey() {
    if (backoffs_.empty()) return kNoChild;
    return std::next(backoffs_.begin(),
                     static_cast<int64_t>(input_.Uniform(backoffs_.size())))
        ->first;
  }

  void Add() {
    ChildRules rules;
    if (const uint64_t kind = input_.Uniform(4); kind > 0) {
      rules.backoff = RestartBackoff{
          .initial = absl::Nanoseconds(static_cast<int64_t>(kind))};
    }
    const ChildKey key = table_.Add(rules);
    EXPECT_FALSE(backoffs_.contains(key)) << key;
    // Keys are used again: there are never more than children at a time.
    most_ = std::max(most_, backoffs_.size() + 1);
    EXPECT_LT(key, most_);
    backoffs_[key] = rules.backoff;
    order_.push_back(key);
  }

  FuzzInput& input_;
  ChildTable table_;
  std::vector<ChildKey> order_;
  // Of all whose key is their own.
  std::map<ChildKey, std::optional<RestartBackoff>> backoffs_;
  std::map<ChildKey, std::deque<Ticket>> waiters_;
  Ticket last_ticket_ = 0;
  size_t most_ = 0;
};

}  // namespace
}  // namespace troupe::internal

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::internal::World world(input);
  // What is looked at after each step grows with them.
  for (int step = 0; step < 300 && !input.empty(); ++step) {
    world.Step();
    world.Check();
  }
  return 0;
}
