// A heap of deadlines against a sorted set, through random calls: for tests
// that are played by seeds and by bytes.
#ifndef TROUPE_SUPERVISION_INTERNAL_DEADLINE_HEAP_WORLD_H_
#define TROUPE_SUPERVISION_INTERNAL_DEADLINE_HEAP_WORLD_H_

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/internal/deadline_heap.h"

namespace troupe::internal {

// `Choices`: a Random, or what has its members. `Heap`: a DeadlineHeap, or one
// with a bug.
template <typename Choices, typename Heap = DeadlineHeap>
class DeadlineHeapWorld {
 public:
  explicit DeadlineHeapWorld(Choices& choices) : choices_(choices) {}

  void Step() {
    const uint32_t entry = static_cast<uint32_t>(choices_.Uniform(50));
    if (choices_.Bernoulli(0.5)) {
      const int64_t time = static_cast<int64_t>(choices_.Uniform(100));
      Forget(entry);
      deadlines_.Set(entry, At(time));
      model_[entry] = time;
      sorted_.insert({time, entry});
    } else if (choices_.Bernoulli(0.5)) {
      Forget(entry);
      deadlines_.Cancel(entry);
    } else if (!sorted_.empty()) {
      const uint32_t first = sorted_.begin()->second;
      Forget(first);
      EXPECT_EQ(deadlines_.Pop(), first);
    }
    EXPECT_EQ(deadlines_.empty(), sorted_.empty());
    EXPECT_EQ(deadlines_.next(), sorted_.empty()
                                     ? MonotonicTime::InfiniteFuture()
                                     : At(sorted_.begin()->first));
    EXPECT_EQ(deadlines_.IsSet(entry), model_.contains(entry));
  }

 private:
  static MonotonicTime At(int64_t time) {
    return MonotonicTime::FromNanoseconds(time);
  }
  void Forget(uint32_t entry) {
    const auto found = model_.find(entry);
    if (found == model_.end()) return;
    sorted_.erase({found->second, entry});
    model_.erase(found);
  }

  Choices& choices_;
  Heap deadlines_;
  std::set<std::pair<int64_t, uint32_t>> sorted_;
  std::map<uint32_t, int64_t> model_;
};

}  // namespace troupe::internal

#endif  // TROUPE_SUPERVISION_INTERNAL_DEADLINE_HEAP_WORLD_H_
