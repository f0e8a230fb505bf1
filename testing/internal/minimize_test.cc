#include "troupe/testing/internal/minimize.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <stdexcept>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe::testing::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using Deltas = std::vector<size_t>;

bool Has(const Deltas& deltas, size_t delta) {
  return std::binary_search(deltas.begin(), deltas.end(), delta);
}

TEST(MinimizeTest, NothingIsNeededWhereNothingMatters) {
  EXPECT_THAT(Minimize(100, [](const Deltas&) { return true; }), IsEmpty());
  EXPECT_THAT(Minimize(0, [](const Deltas&) { return false; }), IsEmpty());
}

TEST(MinimizeTest, FindsTheOneThatMattersQuickly) {
  for (size_t needed = 0; needed < 1024; ++needed) {
    int questions = 0;
    EXPECT_THAT(Minimize(1024,
                         [&](const Deltas& deltas) {
                           ++questions;
                           return Has(deltas, needed);
                         }),
                ElementsAre(needed));
    EXPECT_LE(questions, 21);
  }
}

TEST(MinimizeTest, FindsThoseThatMatterTogether) {
  EXPECT_THAT(Minimize(100,
                       [](const Deltas& deltas) {
                         return Has(deltas, 3) && Has(deltas, 50) &&
                                Has(deltas, 99);
                       }),
              ElementsAre(3, 50, 99));
}

TEST(MinimizeTest, KeepsAllWhereAllMatter) {
  EXPECT_THAT(
      Minimize(4, [](const Deltas& deltas) { return deltas.size() == 4; }),
      ElementsAre(0, 1, 2, 3));
}

// The example of the paper: 1, 7 and 8 of eight make the failure.
TEST(MinimizeTest, SolvesTheExampleOfThePaper) {
  EXPECT_THAT(Minimize(8,
                       [](const Deltas& deltas) {
                         return Has(deltas, 0) && Has(deltas, 6) &&
                                Has(deltas, 7);
                       }),
              ElementsAre(0, 6, 7));
}

// An even number of them: leaving out one of two helps, both is another thing.
TEST(MinimizeTest, NoOneOfTheResultCanBeLeftOut) {
  for (const uint64_t seed : TestSeeds(200)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    const size_t count = 1 + random.Uniform(40);
    // Fails with any of these sets, and all that contain one.
    std::vector<Deltas> causes(1 + random.Uniform(3));
    for (Deltas& cause : causes) {
      std::set<size_t> chosen;
      for (uint64_t i = random.Uniform(6); i > 0; --i) {
        chosen.insert(random.Uniform(count));
      }
      cause.assign(chosen.begin(), chosen.end());
    }
    const auto fails = [&](const Deltas& deltas) {
      return std::any_of(causes.begin(), causes.end(), [&](const Deltas& c) {
        return std::includes(deltas.begin(), deltas.end(), c.begin(), c.end());
      });
    };
    const Deltas found = Minimize(count, fails);
    EXPECT_THAT(causes, ::testing::Contains(ElementsAreArray(found)));
  }
}

TEST(MinimizeTest, GivesTheBestItHasWhenAnswersEnd) {
  int questions = 0;
  const auto fails = [&](const Deltas& deltas) -> std::optional<bool> {
    if (++questions == 6) return std::nullopt;
    return Has(deltas, 1) && Has(deltas, 2);
  };
  const Deltas found = Minimize(64, fails);
  EXPECT_TRUE(Has(found, 1));
  EXPECT_TRUE(Has(found, 2));
  EXPECT_GT(found.size(), 2u);
  EXPECT_LT(found.size(), 64u);
}

// To go on to all parts of so many would take hours.
TEST(MinimizeTest, AsksNoMoreWhenAnswersEnd) {
  int questions = 0;
  const auto fails = [&](const Deltas&) -> std::optional<bool> {
    if (++questions > 3) throw std::logic_error("asked again");
    if (questions == 3) return std::nullopt;
    return false;
  };
  EXPECT_THAT(Minimize(200'000, fails), SizeIs(200'000));
  EXPECT_EQ(questions, 3);
}

}  // namespace
}  // namespace troupe::testing::internal
