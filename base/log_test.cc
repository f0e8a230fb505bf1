#include "troupe/base/log.h"

#include <cstdlib>
#include <source_location>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace troupe {
namespace {

using ::testing::EndsWith;
using ::testing::ExitedWithCode;

struct Seen {
  LogSeverity severity;
  std::string message;
  std::string filename;
  int line;
};

class RecordingSink : public LogSink {
 public:
  void Send(const LogEntry& entry) override {
    seen.push_back({entry.log_severity(), std::string(entry.text_message()),
                    std::string(entry.source_filename()), entry.source_line()});
  }

  std::vector<Seen> seen;
};

TEST(LoggerTest, HandsMessageAndOriginToItsSink) {
  RecordingSink sink;
  const Logger logger(&sink);

  const int line = __LINE__ + 1;
  logger.Log(LogSeverity::kError, "disk on fire");

  ASSERT_EQ(sink.seen.size(), 1);
  EXPECT_EQ(sink.seen[0].severity, LogSeverity::kError);
  EXPECT_EQ(sink.seen[0].message, "disk on fire");
  EXPECT_THAT(sink.seen[0].filename, EndsWith("base/log_test.cc"));
  EXPECT_EQ(sink.seen[0].line, line);
}

TEST(LoggerTest, CopiesShareTheSink) {
  RecordingSink sink;
  const Logger original(&sink);
  const Logger copy = original;

  original.Log(LogSeverity::kInfo, "one");
  copy.Log(LogSeverity::kInfo, "two");

  ASSERT_EQ(sink.seen.size(), 2);
  EXPECT_EQ(sink.seen[0].message, "one");
  EXPECT_EQ(sink.seen[1].message, "two");
}

TEST(LoggerDeathTest, WritesToStderrWithoutASink) {
  EXPECT_EXIT(
      {
        Logger().Log(LogSeverity::kWarning, "getting warm");
        std::exit(0);
      },
      ExitedWithCode(0),
      "^W[0-9]+ [0-9:.]+ log_test.cc:[0-9]+\\] getting warm\n");
}

TEST(FormatLogLineTest, ShowsSeverityTimeOriginAndText) {
  const std::source_location here = std::source_location::current();
  const absl::Time time =
      absl::FromCivil(absl::CivilSecond(2031, 2, 3, 4, 5, 6),
                      absl::UTCTimeZone()) +
      absl::Microseconds(789);

  EXPECT_EQ(FormatLogLine(LogEntry(LogSeverity::kInfo, "hello", here), time),
            absl::StrCat("I0203 04:05:06.000789 log_test.cc:", here.line(),
                         "] hello\n"));
  EXPECT_EQ(FormatLogLine(LogEntry(LogSeverity::kError, "", here), time)[0],
            'E');
}

}  // namespace
}  // namespace troupe
