#include "troupe/supervision/internal/backoff_delay.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/supervision/child_options.h"

namespace troupe::internal {
namespace {

constexpr RestartBackoff kExact = {.initial = absl::Milliseconds(100),
                                   .max = absl::Seconds(1),
                                   .factor = 2,
                                   .jitter = 0};

TEST(BackoffDelayTest, GrowsByTheFactorUpToTheLimit) {
  Random random(1);
  EXPECT_EQ(BackoffDelay(kExact, 1, random), absl::Milliseconds(100));
  EXPECT_EQ(BackoffDelay(kExact, 2, random), absl::Milliseconds(200));
  EXPECT_EQ(BackoffDelay(kExact, 4, random), absl::Milliseconds(800));
  EXPECT_EQ(BackoffDelay(kExact, 5, random), absl::Seconds(1));
}

TEST(BackoffDelayTest, EndlessFailuresStayAtTheLimit) {
  Random random(1);
  EXPECT_EQ(BackoffDelay(kExact, std::numeric_limits<uint32_t>::max(), random),
            absl::Seconds(1));
}

TEST(BackoffDelayTest, FactorOfOneStaysWhereItBegan) {
  Random random(1);
  RestartBackoff backoff = kExact;
  backoff.factor = 1;
  EXPECT_EQ(BackoffDelay(backoff, 1'000'000, random), absl::Milliseconds(100));
}

TEST(BackoffDelayTest, JitterSpreadsBothWaysAndNoFurther) {
  Random random(1);
  RestartBackoff backoff = kExact;
  backoff.jitter = 0.25;
  absl::Duration least = absl::InfiniteDuration();
  absl::Duration most = absl::ZeroDuration();
  for (int i = 0; i < 1'000; ++i) {
    const absl::Duration delay = BackoffDelay(backoff, 1, random);
    least = std::min(least, delay);
    most = std::max(most, delay);
  }
  EXPECT_GE(least, absl::Milliseconds(75));
  EXPECT_LE(least, absl::Milliseconds(76));
  EXPECT_GE(most, absl::Milliseconds(124));
  EXPECT_LE(most, absl::Milliseconds(125));
}

TEST(BackoffDelayTest, SeedDecidesTheJitter) {
  Random first(5);
  Random second(5);
  EXPECT_EQ(BackoffDelay(RestartBackoff(), 3, first),
            BackoffDelay(RestartBackoff(), 3, second));
}

}  // namespace
}  // namespace troupe::internal
