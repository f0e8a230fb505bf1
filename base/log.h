// A small log. There is no log of the process: whoever logs holds a Logger, a
// value that is handed on from the ActorSystem to what it is made of.
//
// Names follow Abseil's log library, which Debian 12 does not package.
//
// Example:
//
//   class Tee : public LogSink {
//     void Send(const LogEntry& entry) override { ... }
//   };
//   Tee tee;
//   Logger logger(&tee);
//   logger.Log(LogSeverity::kWarning, "mailbox above its high-water mark");
#ifndef TROUPE_BASE_LOG_H_
#define TROUPE_BASE_LOG_H_

#include <source_location>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace troupe {

enum class LogSeverity {
  kInfo,
  kWarning,
  kError,
};

// One message with its origin. Valid during LogSink::Send() only.
class LogEntry {
 public:
  LogEntry(LogSeverity severity, absl::string_view message,
           std::source_location location)
      : severity_(severity), message_(message), location_(location) {}

  LogSeverity log_severity() const { return severity_; }
  absl::string_view text_message() const { return message_; }
  absl::string_view source_filename() const { return location_.file_name(); }
  int source_line() const { return static_cast<int>(location_.line()); }

 private:
  LogSeverity severity_;
  absl::string_view message_;
  std::source_location location_;
};

// Where messages go.
//
// Thread safety: Send() is called from any thread, several at once.
// Blocking: Send() is called by workers between turns, so it should not block.
// Errors: Send() must not throw.
class LogSink {
 public:
  virtual ~LogSink() = default;

  virtual void Send(const LogEntry& entry) = 0;
};

// Hands messages to a sink, or to stderr if it has none. Cheap to copy.
//
// Ownership: the sink must outlive every copy of the logger.
// Thread safety: every member may be called from any thread.
class Logger {
 public:
  // Logs to stderr: one line of FormatLogLine() per message, written at once.
  Logger() = default;

  // Logs to `*sink`; to stderr if `sink` is null.
  explicit Logger(LogSink* sink) : sink_(sink) {}

  void Log(LogSeverity severity, absl::string_view message,
           std::source_location location =
               std::source_location::current()) const noexcept;

 private:
  LogSink* sink_ = nullptr;
};

// The line, with its newline, that stands for `entry` on stderr. `time` is
// written in UTC: "W1231 23:59:59.123456 mailbox.cc:42] text".
std::string FormatLogLine(const LogEntry& entry, absl::Time time);

}  // namespace troupe

#endif  // TROUPE_BASE_LOG_H_
