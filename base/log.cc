#include "troupe/base/log.h"

#include <cstdio>
#include <new>
#include <source_location>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace troupe {
namespace {

char SeverityLetter(LogSeverity severity) {
  switch (severity) {
    case LogSeverity::kInfo:
      return 'I';
    case LogSeverity::kWarning:
      return 'W';
    case LogSeverity::kError:
      return 'E';
  }
  return '?';
}

absl::string_view Basename(absl::string_view path) {
  const auto slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

void Write(absl::string_view line) {
  // stderr is unbuffered: one call is one write, so lines do not mix.
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void WriteToStderr(const LogEntry& entry) {
#ifdef __cpp_exceptions
  try {
#endif
    // The wall clock is for the reader alone; no decision depends on it.
    Write(FormatLogLine(entry, absl::Now()));
#ifdef __cpp_exceptions
  } catch (const std::bad_alloc&) {
    // No memory for a line: it may be just what is to be said.
    Write(entry.text_message());
    Write("\n");
  }
#endif
}

}  // namespace

void Logger::Log(LogSeverity severity, absl::string_view message,
                 std::source_location location) const noexcept {
  const LogEntry entry(severity, message, location);
  if (sink_ == nullptr) {
    WriteToStderr(entry);
  } else {
    sink_->Send(entry);
  }
}

std::string FormatLogLine(const LogEntry& entry, absl::Time time) {
  const char letter[] = {SeverityLetter(entry.log_severity()), '\0'};
  return absl::StrCat(
      letter, absl::FormatTime("%m%d %H:%M:%E6S", time, absl::UTCTimeZone()),
      " ", Basename(entry.source_filename()), ":", entry.source_line(), "] ",
      entry.text_message(), "\n");
}

}  // namespace troupe
