#include "troupe/benchmarks/report.h"

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::benchmarks {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Result ColdPingPong() {
  return {.workload = "ping_pong",
          .workers = 2,
          .forced = true,
          .cold = true,
          .measured = {.operations = 2'000'000,
                       .elapsed = absl::Milliseconds(500),
                       .allocations = 3,
                       .wakes = 8,
                       .peak_rss_bytes = 4'500'000,
                       .rss_growth_bytes = 1'000'000}};
}

Result WarmIdleMemory() {
  return {.workload = "idle_memory",
          .workers = 1,
          .keeps_actors = true,
          .measured = {.operations = 1000,
                       .elapsed = absl::Microseconds(20),
                       .peak_rss_bytes = 4'500'000,
                       .rss_growth_bytes = 193'500}};
}

TEST(ReportTest, CsvRowHasTheColumnsOfItsHeader) {
  EXPECT_EQ(CsvHeader(),
            "workload,workers,param,temperature,operations,seconds,"
            "operations_per_second,peak_rss_bytes,bytes_per_actor,"
            "allocations_per_operation\n");
  EXPECT_EQ(CsvRow(ColdPingPong()),
            "ping_pong,2,forced,cold,2000000,0.500000,4000000,4500000,,"
            "1.5e-06\n");
  EXPECT_EQ(CsvRow(WarmIdleMemory()),
            "idle_memory,1,,warm,1000,0.000020,50000000,4500000,193.5,0\n");
}

TEST(ReportTest, TextRowSaysHowOftenWorkersWereWoken) {
  const std::string row = TextRow(ColdPingPong());
  EXPECT_THAT(row, HasSubstr("ping_pong"));
  EXPECT_THAT(row, HasSubstr("forced cold"));
  // Operations per second and nanoseconds for each, in millions.
  EXPECT_THAT(row, HasSubstr(" 4.0  250.0 "));
  EXPECT_THAT(row, HasSubstr(" 4.0\n"));  // Wakes per million operations.
  EXPECT_THAT(TextRow(WarmIdleMemory()), HasSubstr(" 193.5 "));
}

}  // namespace
}  // namespace troupe::benchmarks
