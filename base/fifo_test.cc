#include "troupe/base/fifo.h"

#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/random.h"

namespace troupe::internal {
namespace {

TEST(FifoTest, ShowsTheYoungestInTheirOrder) {
  Fifo<int> fifo;
  for (int i = 0; i < 13; ++i) {
    fifo.Push(i);
    if (i % 2 == 0) (void)fifo.Pop();  // So that it wraps.
  }
  std::vector<int> seen;
  fifo.ForLast(0, [&](int i) { seen.push_back(i); });
  EXPECT_TRUE(seen.empty());
  fifo.ForLast(3, [&](int i) { seen.push_back(i); });
  EXPECT_EQ(seen, std::vector<int>({10, 11, 12}));
  fifo.ForLast(fifo.size(), [&](int i) { seen.push_back(i); });
  EXPECT_EQ(seen, std::vector<int>({10, 11, 12, 7, 8, 9, 10, 11, 12}));
}

TEST(FifoTest, AgreesWithADequeWhileItWrapsAndGrows) {
  Random random(7);
  Fifo<int> fifo;
  std::deque<int> model;
  for (int i = 0; i < 10'000; ++i) {
    // Long phases of growth and of decline.
    if (random.Bernoulli(i / 500 % 2 == 0 ? 0.7 : 0.3)) {
      fifo.Push(i);
      model.push_back(i);
    } else if (!model.empty()) {
      EXPECT_EQ(fifo.front(), model.front());
      EXPECT_EQ(fifo.Pop(), model.front());
      model.pop_front();
    }
    ASSERT_EQ(fifo.size(), model.size());
    ASSERT_EQ(fifo.empty(), model.empty());
  }
}

TEST(FifoTest, MovesWhatCannotBeCopied) {
  Fifo<std::unique_ptr<int>> fifo;
  for (int i = 0; i < 20; ++i) fifo.Push(std::make_unique<int>(i));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(*fifo.Pop(), i);
}

}  // namespace
}  // namespace troupe::internal
