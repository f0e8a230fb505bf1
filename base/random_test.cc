#include "troupe/base/random.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Gt;

static_assert(std::uniform_random_bit_generator<Random>);

std::vector<uint64_t> FirstNumbers(uint64_t seed) {
  Random random(seed);
  std::vector<uint64_t> numbers;
  for (int i = 0; i < 4; ++i) numbers.push_back(random.NextUint64());
  return numbers;
}

// Computed by an independent implementation that reproduces the published
// outputs of SplitMix64 (from 1234567) and xoshiro256** (from {1, 2, 3, 4}).
TEST(RandomTest, NumbersAreThoseOfTheAlgorithm) {
  EXPECT_THAT(FirstNumbers(0),
              ElementsAre(11091344671253066420u, 13793997310169335082u,
                          1900383378846508768u, 7684712102626143532u));
  EXPECT_THAT(FirstNumbers(42),
              ElementsAre(1546998764402558742u, 6990951692964543102u,
                          12544586762248559009u, 17057574109182124193u));
}

TEST(RandomTest, UniformStaysBelowBoundAndReachesAll) {
  Random random(7);
  std::array<int, 10> seen = {};

  for (int i = 0; i < 10'000; ++i) {
    const uint64_t number = random.Uniform(seen.size());
    ASSERT_LT(number, seen.size());
    ++seen[number];
  }

  // 1000 expected; 800 is more than six standard deviations away.
  EXPECT_THAT(seen, Each(Gt(800)));
}

// Where the bound does not divide 2^64 the surplus must be thrown away: with
// three quarters of 2^64 and none thrown away, a third of the numbers would
// come up twice as often as the others.
TEST(RandomTest, UniformIsFairForHugeBounds) {
  constexpr uint64_t kQuarter = uint64_t{1} << 62;
  constexpr int kDraws = 30'000;
  Random random(11);
  std::array<int, 3> residues = {};

  for (int i = 0; i < kDraws; ++i) {
    ++residues[random.Uniform(3 * kQuarter) % 3];
  }

  // 10,000 expected, with a standard deviation of 82.
  for (int residue : residues) EXPECT_NEAR(residue, kDraws / 3, 500);
}

TEST(RandomTest, UniformBelowOneIsZero) {
  Random random(3);

  EXPECT_EQ(random.Uniform(1), 0);
}

TEST(RandomTest, BernoulliFollowsItsProbability) {
  Random random(5);
  int hits = 0;

  for (int i = 0; i < 10'000; ++i) {
    hits += random.Bernoulli(0.25) ? 1 : 0;
    ASSERT_TRUE(random.Bernoulli(1.0));
    ASSERT_FALSE(random.Bernoulli(0.0));
  }

  // 2500 expected, with a standard deviation of 43.
  EXPECT_NEAR(hits, 2500, 300);
}

TEST(RandomTest, DrivesStandardAlgorithms) {
  std::vector<int> numbers(100);
  std::iota(numbers.begin(), numbers.end(), 0);
  const std::vector<int> sorted = numbers;
  Random random(1);

  std::shuffle(numbers.begin(), numbers.end(), random);

  EXPECT_NE(numbers, sorted);
  EXPECT_THAT(numbers, ::testing::UnorderedElementsAreArray(sorted));
}

TEST(EntropySeedTest, Differs) {
  const std::set<uint64_t> seeds = {EntropySeed(), EntropySeed(),
                                    EntropySeed()};

  EXPECT_GT(seeds.size(), 1);
}

#ifndef NDEBUG
TEST(RandomDeathTest, RefusesAnEmptyRange) {
  Random random(1);

  EXPECT_DEATH(random.Uniform(0), "no number is below 0");
}
#endif

}  // namespace
}  // namespace troupe
