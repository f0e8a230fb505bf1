#include "troupe/testing/scale.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "troupe/base/check.h"

namespace troupe::testing {
namespace internal {

int64_t ScaledBy(int64_t count, const char* percent) {
  if (percent == nullptr) return count;
  int64_t share;
  TROUPE_CHECK(
      absl::SimpleAtoi(percent, &share) && share >= 1 && share <= 100,
      absl::StrCat("TROUPE_TEST_SCALE_PERCENT is 1 to 100, not ", percent));
  return std::max(int64_t{1}, count * share / 100);
}

}  // namespace internal

int64_t Scaled(int64_t count) {
  return internal::ScaledBy(count, std::getenv("TROUPE_TEST_SCALE_PERCENT"));
}

}  // namespace troupe::testing
