// What word_count prints at its end: for people, or as JSON for programs.
#ifndef TROUPE_EXAMPLES_WORD_COUNT_REPORT_H_
#define TROUPE_EXAMPLES_WORD_COUNT_REPORT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "troupe/examples/word_count/word_counts.h"

namespace troupe::word_count {

struct Report {
  std::vector<WordCount> top = {};  // In the order to be printed.
  int64_t words = 0;
  int64_t distinct = 0;
  int64_t bytes = 0;
  int inputs = 0;  // Counted to their end, so without those in `errors`.
  int workers = 0;
  absl::Duration elapsed = {};
  std::vector<std::string> errors = {};  // One message per input that failed.
};

// A table of `top`, an empty line, then one line of totals; without `errors`,
// which belong on the standard error.
//
//   count  word
//      12  the
//       7  cat
//
//   55 words (31 distinct), 0.3 kB in 1 input: 0.001 s, 0.3 MB/s, 2 workers
std::string TextReport(const Report& report);

// One object with the fields of `report` by their names, `seconds` for
// `elapsed`, and `bytes_per_second`; ends with a newline. Bytes of an error
// message that are not UTF-8 are replaced.
std::string JsonReport(const Report& report);

// `bytes` with a unit of 1000s and one decimal, such as "12.3 MB".
std::string HumanBytes(double bytes);

// 0 if no time has passed.
double BytesPerSecond(int64_t bytes, absl::Duration elapsed);

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_REPORT_H_
