// A line on a terminal that tells how far a count has come.
//
// Example:
//
//   ProgressLine progress(std::cerr, ::isatty(STDERR_FILENO), RealClock());
//   while (...) progress.Update(counts.bytes());
//   progress.Clear();
//   std::cout << TextReport(report);
#ifndef TROUPE_EXAMPLES_WORD_COUNT_PROGRESS_LINE_H_
#define TROUPE_EXAMPLES_WORD_COUNT_PROGRESS_LINE_H_

#include <cstdint>
#include <ostream>

#include "absl/time/time.h"
#include "troupe/base/clock.h"

namespace troupe::word_count {

// Thread safety: none.
class ProgressLine {
 public:
  // The least time between two writes.
  static constexpr absl::Duration kPeriod = absl::Milliseconds(100);

  // Writes to `out` if that is a terminal, else never. The time counts from
  // here on. `out` and `clock` must outlive this.
  ProgressLine(std::ostream& out, bool is_terminal, const Clock& clock);
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  ~ProgressLine() { Clear(); }

  // Shows that `bytes` in all have been counted, unless the line was written
  // less than kPeriod ago.
  void Update(int64_t bytes);

  // Removes the line, before something else is written to the terminal.
  void Clear();

 private:
  std::ostream& out_;
  const bool is_terminal_;
  const Clock& clock_;
  const MonotonicTime start_;
  MonotonicTime last_write_;
  bool shown_ = false;
};

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_PROGRESS_LINE_H_
