#include "troupe/examples/word_count/progress_line.h"

#include "troupe/examples/word_count/report.h"

namespace troupe::word_count {
namespace {

// Goes to the line's beginning and erases up to its end.
constexpr char kEraseLine[] = "\r\033[K";

}  // namespace

ProgressLine::ProgressLine(std::ostream& out, bool is_terminal,
                           const Clock& clock)
    : out_(out),
      is_terminal_(is_terminal),
      clock_(clock),
      start_(clock.Now()),
      last_write_(start_) {}

void ProgressLine::Update(int64_t bytes) {
  if (!is_terminal_) return;
  const MonotonicTime now = clock_.Now();
  if (now - last_write_ < kPeriod) return;
  last_write_ = now;
  shown_ = true;
  out_ << kEraseLine << "counted " << HumanBytes(bytes) << ", "
       << HumanBytes(BytesPerSecond(bytes, now - start_)) << "/s" << std::flush;
}

void ProgressLine::Clear() {
  if (!shown_) return;
  shown_ = false;
  out_ << kEraseLine << std::flush;
}

}  // namespace troupe::word_count
