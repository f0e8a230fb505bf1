#include "troupe/tools/fuzz/input.h"

#include <cstdint>
#include <vector>

#include "gtest/gtest.h"

namespace troupe {
namespace {

TEST(FuzzInputTest, NumbersTakeTheBytesThatTheyNeed) {
  const std::vector<uint8_t> bytes = {7, 255, 1, 2, 9};
  FuzzInput input(bytes.data(), bytes.size());
  EXPECT_EQ(input.Uniform(1), 0u);
  EXPECT_EQ(input.Uniform(10), 7u);
  EXPECT_EQ(input.Uniform(256), 255u);
  EXPECT_EQ(input.Uniform(257), 1u);  // 0x102 % 257
  EXPECT_EQ(input.Byte(), 9);
  EXPECT_TRUE(input.empty());
}

TEST(FuzzInputTest, EveryNumberBelowTheBoundIsReached) {
  std::vector<bool> reached(300);
  for (int high = 0; high < 256; ++high) {
    for (int low = 0; low < 256; ++low) {
      const uint8_t bytes[] = {static_cast<uint8_t>(high),
                               static_cast<uint8_t>(low)};
      reached[FuzzInput(bytes, 2).Uniform(300)] = true;
    }
  }
  EXPECT_EQ(reached, std::vector<bool>(300, true));
}

TEST(FuzzInputTest, GoesOnWithZeroes) {
  FuzzInput input(nullptr, 0);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ(input.Byte(), 0);
  EXPECT_EQ(input.Uniform(1000), 0u);
  EXPECT_EQ(input.NextUint64(), 0u);
  EXPECT_FALSE(input.Bernoulli(1));
  EXPECT_EQ(input.Text(), "");
}

TEST(FuzzInputTest, TextsEndWithTheInput) {
  const uint8_t bytes[] = {2, 'a', 'b', 5, 'c'};
  FuzzInput input(bytes, sizeof(bytes));
  EXPECT_EQ(input.Text(), "ab");
  EXPECT_EQ(input.Text(), "c");
  EXPECT_EQ(input.TakeAll(), "");
}

TEST(FuzzInputTest, ChancesGoByTheByte) {
  const uint8_t bytes[] = {63, 64, 255, 0};
  FuzzInput input(bytes, sizeof(bytes));
  EXPECT_TRUE(input.Bernoulli(0.25));
  EXPECT_FALSE(input.Bernoulli(0.25));
  EXPECT_TRUE(input.Bernoulli(1));
  EXPECT_FALSE(input.Bernoulli(0));
}

}  // namespace
}  // namespace troupe
