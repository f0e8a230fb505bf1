#include "troupe/testing/seeds.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"
#include "troupe/testing/scale.h"

namespace troupe::testing {
namespace internal {

std::vector<uint64_t> SeedsFor(int count, const char* only_seed,
                               const char* run_number, const char* percent) {
  if (only_seed != nullptr) {
    uint64_t seed;
    TROUPE_CHECK(absl::SimpleAtoi(only_seed, &seed),
                 absl::StrCat("TROUPE_TEST_SEED is a number, not ", only_seed));
    return {seed};
  }
  uint64_t run = 1;
  if (run_number != nullptr) {
    TROUPE_CHECK(absl::SimpleAtoi(run_number, &run) && run >= 1,
                 absl::StrCat("Bazel counts runs from 1, not ", run_number));
  }
  count = static_cast<int>(ScaledBy(count, percent));
  std::vector<uint64_t> seeds;
  for (int i = 0; i < count; ++i) seeds.push_back((run - 1) * count + i);
  return seeds;
}

}  // namespace internal

std::vector<uint64_t> TestSeeds(int count) {
  return internal::SeedsFor(count, std::getenv("TROUPE_TEST_SEED"),
                            std::getenv("TEST_RUN_NUMBER"),
                            std::getenv("TROUPE_TEST_SCALE_PERCENT"));
}

std::string SeedTrace(uint64_t seed) {
  return absl::StrCat("seed ", seed,
                      "; replay with --test_env=TROUPE_TEST_SEED=", seed);
}

}  // namespace troupe::testing
