// How the figures of measures are written.
#ifndef TROUPE_BENCHMARKS_FIGURE_REPORT_H_
#define TROUPE_BENCHMARKS_FIGURE_REPORT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/benchmarks/measure.h"

namespace troupe::benchmarks {

// A figure, with its value in each run. REQUIRES: there was one.
struct FigureResult {
  absl::string_view measure;
  int workers = 0;
  Figure figure;
  std::vector<double> values;

  double Median() const;
  // Whether the median is where the figure's goal wants it.
  bool MeetsGoal() const;
};

// A line with its end. Without a goal its columns are empty.
std::string FigureCsvHeader();
std::string FigureCsvRow(const FigureResult& result);

// The same for people.
std::string FigureTextHeader();
std::string FigureTextRow(const FigureResult& result);

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_FIGURE_REPORT_H_
