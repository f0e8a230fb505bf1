#include "troupe/benchmarks/figure_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace troupe::benchmarks {
namespace {

std::vector<double> Sorted(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values;
}

// No figure has a goal on both sides.
std::string Goal(const Figure& figure) {
  if (std::isfinite(figure.at_least)) {
    return absl::StrCat(">= ", figure.at_least);
  }
  if (std::isfinite(figure.at_most)) return absl::StrCat("<= ", figure.at_most);
  return "";
}

absl::string_view Verdict(const FigureResult& result) {
  if (Goal(result.figure).empty()) return "";
  return result.MeetsGoal() ? "met" : "missed";
}

}  // namespace

double FigureResult::Median() const {
  return Sorted(values)[(values.size() - 1) / 2];
}

bool FigureResult::MeetsGoal() const {
  const double median = Median();
  return median >= figure.at_least && median <= figure.at_most;
}

std::string FigureCsvHeader() {
  return "measure,workers,figure,unit,minimum,median,maximum,goal,verdict\n";
}

std::string FigureCsvRow(const FigureResult& result) {
  const std::vector<double> sorted = Sorted(result.values);
  return absl::StrFormat("%s,%d,%s,%s,%.6g,%.6g,%.6g,%s,%s\n", result.measure,
                         result.workers, result.figure.name, result.figure.unit,
                         sorted.front(), result.Median(), sorted.back(),
                         Goal(result.figure), Verdict(result));
}

std::string FigureTextHeader() {
  return "measure              workers figure                                "
         "    minimum      median     maximum unit   goal    verdict\n";
}

std::string FigureTextRow(const FigureResult& result) {
  const std::vector<double> sorted = Sorted(result.values);
  std::string row = absl::StrFormat(
      "%-20s %7d %-36s %12.5g %11.5g %11.5g %-6s %-7s %s", result.measure,
      result.workers, result.figure.name, sorted.front(), result.Median(),
      sorted.back(), result.figure.unit, Goal(result.figure), Verdict(result));
  row.erase(row.find_last_not_of(' ') + 1);
  return row + "\n";
}

}  // namespace troupe::benchmarks
