#include "troupe/supervision/internal/restart_window.h"

#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/base/random.h"
#include "troupe/supervision/strategy.h"
#include "troupe/testing/seeds.h"

namespace troupe::internal {
namespace {

using testing::SeedTrace;
using testing::TestSeeds;

MonotonicTime At(int64_t nanoseconds) {
  return MonotonicTime::FromNanoseconds(nanoseconds);
}

constexpr absl::Duration kTen = absl::Nanoseconds(10);

TEST(RestartWindowTest, OneMoreThanAllowedIsTooMany) {
  RestartWindow window;
  const Intensity intensity{.restarts = 2, .within = kTen};
  EXPECT_TRUE(window.Admit(intensity, At(0)));
  EXPECT_TRUE(window.Admit(intensity, At(4)));
  EXPECT_FALSE(window.Admit(intensity, At(7)));
  EXPECT_EQ(window.count(), 2);
  EXPECT_EQ(window.SpanUntil(At(7)), absl::Nanoseconds(7));
}

// OTP keeps restarts that are exactly `period` old.
TEST(RestartWindowTest, BothEndsOfThePeriodCount) {
  RestartWindow window;
  const Intensity intensity{.restarts = 1, .within = kTen};
  EXPECT_TRUE(window.Admit(intensity, At(0)));
  EXPECT_FALSE(window.Admit(intensity, At(10)));
  EXPECT_TRUE(window.Admit(intensity, At(11)));
}

TEST(RestartWindowTest, NoneAllowedMeansTheFirstIsTooMany) {
  RestartWindow window;
  EXPECT_FALSE(window.Admit({.restarts = 0, .within = kTen}, At(0)));
  EXPECT_EQ(window.count(), 0);
  EXPECT_EQ(window.SpanUntil(At(5)), absl::ZeroDuration());
}

TEST(RestartWindowTest, UnlimitedPeriodNeverForgets) {
  RestartWindow window;
  const Intensity intensity{.restarts = 1, .within = absl::InfiniteDuration()};
  EXPECT_TRUE(window.Admit(intensity, At(0)));
  EXPECT_FALSE(window.Admit(intensity, At(int64_t{1} << 62)));
}

TEST(RestartWindowTest, AgreesWithAListOfAllRestarts) {
  for (uint64_t seed : TestSeeds(200)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    RestartWindow window;
    std::vector<int64_t> restarts;
    int64_t now = 0;
    for (int i = 0; i < 500; ++i) {
      now += random.Uniform(6);
      const int allowed = random.Uniform(5);
      const int64_t period = 1 + random.Uniform(12);
      // Shorter periods forget for good what a longer one would count.
      std::erase_if(restarts, [&](int64_t at) { return at < now - period; });
      const bool admitted = restarts.size() < allowed;
      if (admitted) restarts.push_back(now);
      ASSERT_EQ(window.Admit(
                    {.restarts = allowed, .within = absl::Nanoseconds(period)},
                    At(now)),
                admitted);
      ASSERT_EQ(window.count(), restarts.size());
    }
  }
}

}  // namespace
}  // namespace troupe::internal
