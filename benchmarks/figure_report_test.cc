#include "troupe/benchmarks/figure_report.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe::benchmarks {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

FigureResult Ratio() {
  return {
      .measure = "greedy_neighbour",
      .workers = 2,
      .figure = {.name = "p99 with / without", .unit = "ratio", .at_most = 2},
      .values = {3, 1.5, 1.25}};
}

FigureResult Peak() {
  return {.measure = "burst",
          .workers = 1,
          .figure = {.name = "peak", .unit = "MB"},
          .values = {640.5, 641}};
}

TEST(FigureReportTest, CsvRowHasTheColumnsOfItsHeader) {
  EXPECT_EQ(FigureCsvHeader(),
            "measure,workers,figure,unit,minimum,median,maximum,goal,"
            "verdict\n");
  EXPECT_EQ(FigureCsvRow(Ratio()),
            "greedy_neighbour,2,p99 with / without,ratio,1.25,1.5,3,<= 2,"
            "met\n");
  EXPECT_EQ(FigureCsvRow(Peak()), "burst,1,peak,MB,640.5,640.5,641,,\n");
}

TEST(FigureReportTest, TextRowEndsWithTheVerdict) {
  EXPECT_THAT(FigureTextRow(Ratio()), EndsWith("<= 2    met\n"));
  EXPECT_THAT(FigureTextRow(Peak()), HasSubstr("peak "));
  EXPECT_THAT(FigureTextRow(Peak()), EndsWith("641 MB\n"));
}

TEST(FigureReportTest, MedianDecidesWhetherTheGoalIsMet) {
  FigureResult result = Ratio();
  EXPECT_TRUE(result.MeetsGoal());
  result.values = {1.25, 2.5, 2.5};
  EXPECT_FALSE(result.MeetsGoal());
  EXPECT_THAT(FigureTextRow(result), EndsWith("missed\n"));
  result.figure = {.name = "speed-up", .unit = "ratio", .at_least = 1.6};
  EXPECT_TRUE(result.MeetsGoal());
  result.values = {1.5};
  EXPECT_FALSE(result.MeetsGoal());
  EXPECT_THAT(FigureCsvRow(result), EndsWith(",>= 1.6,missed\n"));
}

}  // namespace
}  // namespace troupe::benchmarks
