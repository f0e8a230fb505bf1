// A short soak: bounded by what is done, not by time.
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/soak/run_soak.h"

namespace troupe::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(SoakTest, AccountsForMessagesThroughFaults) {
  constexpr int kFaults = 12;
  for (const uint64_t seed : TestSeeds(2)) {
    SCOPED_TRACE(SeedTrace(seed));
    std::string lines;
    const SoakReport report =
        RunSoak({.seed = seed, .faults = kFaults, .messages_per_fault = 5000},
                [&lines](absl::string_view line) {
                  absl::StrAppend(&lines, line, "\n");
                });
    EXPECT_THAT(report.failures, IsEmpty()) << lines;
    EXPECT_EQ(report.faults, kFaults);
    EXPECT_GE(report.handled, kFaults * 5000);
  }
}

// §37: it comes without a gap, or not at all.
TEST(SoakTest, NoticesASubscriptionThatGoesSilent) {
  const SoakReport report = RunSoak({.faults = 1,
                                     .messages_per_fault = 5000,
                                     .patience = absl::Milliseconds(200),
                                     .has_deaf_clerk = true},
                                    [](absl::string_view) {});
  EXPECT_THAT(report.failures, Contains(HasSubstr("clerk 0 was promised")));
}

}  // namespace
}  // namespace troupe::testing
