// Planted: reads an allocation after it was freed. AddressSanitizer must report
// it; everything else lets it pass.

#include <memory>

#include "gtest/gtest.h"

namespace {

TEST(PlantedTest, ReadsFreedMemory) {
  auto owner = std::make_unique<int>(1);
  volatile int* freed = owner.get();
  owner.reset();

  // Any value will do: the read itself is the bug.
  const int value = *freed;
  EXPECT_EQ(value, value);
}

}  // namespace
