// Seeds for tests that draw random numbers.
//
// Example:
//
//   TEST(WheelSimTest, AgreesWithTheModel) {
//     for (uint64_t seed : TestSeeds(100)) {
//       SCOPED_TRACE(SeedTrace(seed));
//       ...
//     }
//   }
#ifndef TROUPE_TESTING_SEEDS_H_
#define TROUPE_TESTING_SEEDS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace troupe::testing {

// The seeds that a test tries: `count` of them, the same in every run, or only
// the one in the environment variable TROUPE_TEST_SEED, to replay a failure.
//
// They are fewer where tests are to do less: see scale.h.
//
// Run number r of `bazel test --runs_per_test` (TEST_RUN_NUMBER) tries the r-th
// `count` seeds, so that more runs look at more cases.
std::vector<uint64_t> TestSeeds(int count);

// For SCOPED_TRACE: names the seed, and how to replay it.
std::string SeedTrace(uint64_t seed);

namespace internal {

// As TestSeeds(), for given values of the variables; null if unset.
std::vector<uint64_t> SeedsFor(int count, const char* only_seed,
                               const char* run_number, const char* percent);

}  // namespace internal
}  // namespace troupe::testing

#endif  // TROUPE_TESTING_SEEDS_H_
