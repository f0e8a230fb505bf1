// Planted: overflows a signed integer. UndefinedBehaviorSanitizer must report
// it; everything else lets it pass.

#include <limits>

#include "gtest/gtest.h"

namespace {

TEST(PlantedTest, OverflowsASignedInteger) {
  volatile int largest = std::numeric_limits<int>::max();

  // Any value will do: the addition itself is the bug.
  volatile int overflowed = largest + 1;
  EXPECT_EQ(overflowed, overflowed);
}

}  // namespace
