#include "troupe/examples/word_count/report.h"

#include <string>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace troupe::word_count {
namespace {

Report ExampleReport() {
  return {.top = {{"the", 1234}, {"cat", 7}},
          .words = 5678,
          .distinct = 90,
          .bytes = 34'567,
          .inputs = 2,
          .workers = 3,
          .elapsed = absl::Milliseconds(5),
          .errors = {"missing.txt: No such file or directory"}};
}

TEST(ReportTest, TextIsAlignedTable) {
  EXPECT_EQ(TextReport(ExampleReport()),
            "count  word\n"
            " 1234  the\n"
            "    7  cat\n"
            "\n"
            "5678 words (90 distinct), 34.6 kB in 2 inputs: 0.005 s, 6.9 MB/s, "
            "3 workers\n");
}

TEST(ReportTest, BigCountsWidenTheTable) {
  Report report = ExampleReport();
  report.top[0].count = 12'345'678;
  EXPECT_THAT(TextReport(report), ::testing::StartsWith("   count  word\n"
                                                        "12345678  the\n"
                                                        "       7  cat\n"));
}

TEST(ReportTest, NothingCountedIsStillReported) {
  EXPECT_EQ(TextReport({.workers = 1}),
            "0 words (0 distinct), 0.0 kB in 0 inputs: 0.000 s, 0.0 kB/s, "
            "1 worker\n");
  EXPECT_EQ(TextReport({.words = 1, .distinct = 1, .inputs = 1, .workers = 1}),
            "1 word (1 distinct), 0.0 kB in 1 input: 0.000 s, 0.0 kB/s, "
            "1 worker\n");
}

TEST(ReportTest, JsonHasEveryField) {
  const std::string text = JsonReport(ExampleReport());
  EXPECT_EQ(text.back(), '\n');
  EXPECT_EQ(nlohmann::json::parse(text), nlohmann::json::parse(R"({
              "top": [{"word": "the", "count": 1234},
                      {"word": "cat", "count": 7}],
              "words": 5678,
              "distinct": 90,
              "bytes": 34567,
              "inputs": 2,
              "workers": 3,
              "seconds": 0.005,
              "bytes_per_second": 6913400.0,
              "errors": ["missing.txt: No such file or directory"]
            })"));
}

TEST(ReportTest, JsonOfNothingHasEmptyLists) {
  const nlohmann::json json = nlohmann::json::parse(JsonReport({}));
  EXPECT_EQ(json["top"], nlohmann::json::array());
  EXPECT_EQ(json["errors"], nlohmann::json::array());
  EXPECT_EQ(json["bytes_per_second"], 0.0);
}

TEST(ReportTest, JsonOfPathThatIsNotUtf8IsValid) {
  const nlohmann::json json =
      nlohmann::json::parse(JsonReport({.errors = {"\xff.txt: binary file"}}));
  EXPECT_EQ(json["errors"][0], "\ufffd.txt: binary file");
}

TEST(ReportTest, HumanBytesHaveOneDecimal) {
  EXPECT_EQ(HumanBytes(0), "0.0 kB");
  EXPECT_EQ(HumanBytes(999), "1.0 kB");
  EXPECT_EQ(HumanBytes(1500), "1.5 kB");
  EXPECT_EQ(HumanBytes(12'345'678), "12.3 MB");
  EXPECT_EQ(HumanBytes(1e9), "1.0 GB");
  EXPECT_EQ(HumanBytes(5e15), "5000.0 TB");
}

TEST(ReportTest, NoTimeIsNoThroughput) {
  EXPECT_EQ(BytesPerSecond(100, absl::ZeroDuration()), 0);
  EXPECT_EQ(BytesPerSecond(100, absl::Milliseconds(50)), 2000);
}

}  // namespace
}  // namespace troupe::word_count
