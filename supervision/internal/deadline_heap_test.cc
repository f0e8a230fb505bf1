#include "troupe/supervision/internal/deadline_heap.h"

#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe::internal {
namespace {

using testing::SeedTrace;
using testing::TestSeeds;

MonotonicTime At(int64_t nanoseconds) {
  return MonotonicTime::FromNanoseconds(nanoseconds);
}

TEST(DeadlineHeapTest, NothingIsDueWhenNothingIsSet) {
  DeadlineHeap deadlines;
  EXPECT_EQ(deadlines.next(), MonotonicTime::InfiniteFuture());
  EXPECT_FALSE(deadlines.IsSet(0));
  deadlines.Cancel(5);
  EXPECT_EQ(deadlines.next(), MonotonicTime::InfiniteFuture());
}

TEST(DeadlineHeapTest, EqualDeadlinesComeInTheOrderOfEntries) {
  DeadlineHeap deadlines;
  for (uint32_t entry : {4, 1, 3, 0, 2}) deadlines.Set(entry, At(9));
  for (uint32_t entry = 0; entry < 5; ++entry) {
    EXPECT_EQ(deadlines.Pop(), entry);
  }
}

TEST(DeadlineHeapTest, SettingAgainReplacesTheDeadline) {
  DeadlineHeap deadlines;
  deadlines.Set(0, At(9));
  deadlines.Set(1, At(5));
  deadlines.Set(0, At(3));
  EXPECT_EQ(deadlines.next(), At(3));
  EXPECT_EQ(deadlines.Pop(), 0);
  EXPECT_EQ(deadlines.Pop(), 1);
  EXPECT_FALSE(deadlines.IsSet(0));
}

TEST(DeadlineHeapTest, AgreesWithASortedModel) {
  for (uint64_t seed : TestSeeds(100)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    DeadlineHeap deadlines;
    std::set<std::pair<int64_t, uint32_t>> sorted;
    std::map<uint32_t, int64_t> model;
    const auto forget = [&](uint32_t entry) {
      const auto found = model.find(entry);
      if (found == model.end()) return;
      sorted.erase({found->second, entry});
      model.erase(found);
    };
    for (int i = 0; i < 1'000; ++i) {
      const uint32_t entry = random.Uniform(50);
      if (random.Bernoulli(0.5)) {
        const int64_t time = random.Uniform(100);
        forget(entry);
        deadlines.Set(entry, At(time));
        model[entry] = time;
        sorted.insert({time, entry});
      } else if (random.Bernoulli(0.5)) {
        forget(entry);
        deadlines.Cancel(entry);
      } else if (!sorted.empty()) {
        const uint32_t first = sorted.begin()->second;
        forget(first);
        ASSERT_EQ(deadlines.Pop(), first);
      }
      ASSERT_EQ(deadlines.next(), sorted.empty()
                                      ? MonotonicTime::InfiniteFuture()
                                      : At(sorted.begin()->first));
      ASSERT_EQ(deadlines.IsSet(entry), model.contains(entry));
    }
  }
}

}  // namespace
}  // namespace troupe::internal
