#include "troupe/supervision/internal/deadline_heap.h"

#include <cstdint>

#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/internal/deadline_heap_world.h"
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
    DeadlineHeapWorld world(random);
    for (int i = 0; i < 1'000 && !HasFailure(); ++i) world.Step();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace troupe::internal
