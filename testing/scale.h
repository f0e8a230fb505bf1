// How much a test does: less in builds in which each step takes long.
//
// Example:
//
//   EXPECT_TRUE(system->Spawn<Chained>(Scaled(100'000)).ok());
#ifndef TROUPE_TESTING_SCALE_H_
#define TROUPE_TESTING_SCALE_H_

#include <cstdint>

namespace troupe::testing {

// TROUPE_TEST_SCALE_PERCENT per cent of `count`, though never nothing; all of
// it where that is not set. troupe_cc_test() sets it for tests that say
// `scaled`.
int64_t Scaled(int64_t count);

namespace internal {

// As Scaled(), for a given value of the variable; null if unset.
int64_t ScaledBy(int64_t count, const char* percent);

}  // namespace internal
}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SCALE_H_
