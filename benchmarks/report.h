// How the results of workloads are written.
#ifndef TROUPE_BENCHMARKS_REPORT_H_
#define TROUPE_BENCHMARKS_REPORT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "troupe/benchmarks/stage.h"

namespace troupe::benchmarks {

// One run of a workload.
struct Result {
  absl::string_view workload;
  int workers = 0;
  bool forced = false;
  // The first of its process: memory that it uses has not been touched.
  bool cold = false;
  bool keeps_actors = false;  // See Workload.
  Measured measured;
};

// A line with its end. Columns that do not apply to the workload are empty.
std::string CsvHeader();
std::string CsvRow(const Result& result);

// The same for people, with the times that workers were woken.
std::string TextHeader();
std::string TextRow(const Result& result);

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_REPORT_H_
