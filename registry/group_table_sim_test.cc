// A table of groups against a naive one, through random calls.
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/registry/internal/group_table_world.h"
#include "troupe/testing/seeds.h"

namespace troupe {
namespace {

TEST(GroupTableSimTest, AgreesWithANaiveTable) {
  int64_t changes = 0;
  const std::vector<uint64_t> seeds = testing::TestSeeds(30);
  for (const uint64_t seed : seeds) {
    SCOPED_TRACE(testing::SeedTrace(seed));
    Random random(seed);
    internal::GroupTableWorld world(random);
    for (int step = 0; step < 500; ++step) {
      world.Step();
      world.Check();
      if (::testing::Test::HasFailure()) return;
    }
    changes += world.changes();
  }
  EXPECT_GT(changes, static_cast<int64_t>(200 * seeds.size()));
}

}  // namespace
}  // namespace troupe
