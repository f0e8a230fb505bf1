// What an idle actor with eight bytes of state takes of the machine's memory. A
// process of its own: in another one there might be memory to reuse.
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/benchmarks/sanitized.h"
#include "troupe/benchmarks/stage.h"
#include "troupe/benchmarks/workload.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Ge;
using ::testing::Le;
using ::troupe::testing::IsOk;

TEST(IdleMemoryTest, IdleActorTakesAtMostFourLines) {
  const std::unique_ptr<Stage> stage = Stage::Create({.scale = 0.2}).value();
  StartIdleMemory(*stage);
  const absl::StatusOr<Measured> measured =
      stage->Await(absl::InfiniteDuration());
  ASSERT_THAT(measured, IsOk());

  ASSERT_EQ(measured->operations, 200'000);
  const int64_t bytes_per_actor =
      measured->rss_growth_bytes / measured->operations;
  // With less than a cell, something else would have been measured.
  EXPECT_THAT(bytes_per_actor, Ge(160));
#ifndef TROUPE_SANITIZED
  EXPECT_THAT(bytes_per_actor, Le(256));
#endif
}

}  // namespace
}  // namespace troupe::benchmarks
