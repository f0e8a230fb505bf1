// Memory that actors and messages have needed goes back to the system when they
// are gone: the measures of growth that say so, as a gate.
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/sanitized.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Le;
using ::troupe::testing::IsOk;

// A sanitizer keeps memory of its own: it is the run that it looks at.
#ifdef TROUPE_SANITIZED
constexpr double kScale = 0.01;
#else
constexpr double kScale = 1;
#endif

// The last figure of the measure is what is resident in the end by what was
// before.
void ExpectThatMemoryReturns(const Measure& measure) {
  const absl::StatusOr<std::vector<double>> values =
      measure.run({.scale = kScale});
  ASSERT_THAT(values, IsOk());
#ifndef TROUPE_SANITIZED
  EXPECT_THAT(values->back(), Le(measure.figures.back().at_most));
#endif
}

TEST(MemoryReturnsTest, AfterAMillionActorsHaveStopped) {
  ExpectThatMemoryReturns(kMemoryAfterActors);
}

TEST(MemoryReturnsTest, AfterTenMillionMessagesWereHandled) {
  ExpectThatMemoryReturns(kBurst);
}

}  // namespace
}  // namespace troupe::benchmarks
