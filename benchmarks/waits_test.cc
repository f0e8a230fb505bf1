#include "troupe/benchmarks/waits.h"

#include "gtest/gtest.h"

namespace troupe::benchmarks {
namespace {

TEST(WaitsTest, AtPermilleCountsTheWaitsOfAllLists) {
  Waits waits(2, 500);
  for (uint32_t i = 1000; i > 0; --i) waits.list(i % 2).push_back(i * 1000);
  waits.Sort();
  ASSERT_EQ(waits.count(), 1000);
  EXPECT_EQ(waits.AtPermille(500), 500);
  EXPECT_EQ(waits.AtPermille(990), 990);
  EXPECT_EQ(waits.AtPermille(999), 999);
  EXPECT_EQ(waits.AtPermille(1000), 1000);
}

TEST(WaitsTest, LongWaitsAreTheLongest) {
  EXPECT_EQ(WaitOf(5), 5u);
  EXPECT_EQ(WaitOf(int64_t{5'000'000'000}), WaitOf(int64_t{1} << 62));
  EXPECT_GT(WaitOf(int64_t{5'000'000'000}), WaitOf(4'000'000'000));
}

TEST(WaitsTest, OneWaitIsEveryPercentile) {
  Waits waits(3, 1);
  waits.list(2).push_back(1500);
  waits.Sort();
  EXPECT_EQ(waits.AtPermille(0), 1.5);
  EXPECT_EQ(waits.AtPermille(500), 1.5);
  EXPECT_EQ(waits.AtPermille(1000), 1.5);
}

}  // namespace
}  // namespace troupe::benchmarks
