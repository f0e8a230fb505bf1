// The counts are those of the shell's own tools on the same text:
//
//   tr -cs 'A-Za-z' '\n' | tr A-Z a-z | sort | uniq -c
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/examples/word_count/chunk_reader.h"
#include "troupe/examples/word_count/word_counts.h"
#include "troupe/testing/status_matchers.h"

namespace troupe::word_count {
namespace {

using ::testing::SizeIs;
using ::troupe::testing::IsOk;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

// "count word" for each word, in the order of TopN().
using Lines = std::vector<std::string>;

std::string TempPath(const std::string& name) {
  return ::testing::TempDir() + "/" + name;
}

std::string TestData(const std::string& name) {
  return absl::StrCat("examples/word_count/testdata/", name);
}

// If the text does not begin with a letter, tr makes an empty word of what
// precedes the first one; it is left out.
Lines LinesOfPipeline(const std::string& path) {
  const std::string result_path = TempPath("pipeline.txt");
  const std::string command = absl::StrCat(
      "LC_ALL=C && export LC_ALL && tr -cs 'A-Za-z' '\\n' < '", path,
      "' | tr A-Z a-z | sort | uniq -c | sort -k1,1nr -k2 > '", result_path,
      "'");
  EXPECT_EQ(std::system(command.c_str()), 0) << command;
  Lines lines;
  std::ifstream result(result_path);
  for (std::string line; std::getline(result, line);) {
    line.erase(0, line.find_first_not_of(' '));
    if (line.back() != ' ') lines.push_back(line);
  }
  return lines;
}

// As the actors do it: chunks go to counters in turn, which are then merged.
absl::StatusOr<WordCounts> Count(const std::string& path, size_t chunk_bytes) {
  absl::StatusOr<ChunkReader> reader =
      ChunkReader::Open(path, {.chunk_bytes = chunk_bytes});
  if (!reader.ok()) return reader.status();
  std::vector<WordCounts> counters(3);
  std::string chunk;
  size_t chunks = 0;
  do {
    if (absl::Status read = reader->Next(chunk); !read.ok()) return read;
    counters[chunks++ % counters.size()].Add(chunk);
  } while (!chunk.empty());
  WordCounts merged;
  for (WordCounts& counter : counters) merged.Merge(std::move(counter));
  return merged;
}

Lines LinesOf(const WordCounts& counts) {
  Lines lines;
  for (const WordCount& entry : counts.TopN(kAll)) {
    lines.push_back(absl::StrCat(entry.count, " ", entry.word));
  }
  return lines;
}

int64_t FileBytes(const std::string& path) {
  return std::ifstream(path, std::ios::binary | std::ios::ate).tellg();
}

void ExpectCountsOfPipeline(const std::string& path, size_t distinct) {
  const Lines expected = LinesOfPipeline(path);
  EXPECT_THAT(expected, SizeIs(distinct)) << path;
  for (size_t chunk_bytes : {64, 1000, 256 * 1024}) {
    absl::StatusOr<WordCounts> counts = Count(path, chunk_bytes);
    ASSERT_THAT(counts, IsOk());
    EXPECT_EQ(LinesOf(*counts), expected)
        << path << ", " << chunk_bytes << " bytes a chunk";
    EXPECT_EQ(counts->bytes(), FileBytes(path));
  }
}

TEST(PipelineTest, CountsOfProseAreTheSame) {
  ExpectCountsOfPipeline(TestData("prose.txt"), 168);
}

TEST(PipelineTest, CountsOfUtf8AreTheSame) {
  ExpectCountsOfPipeline(TestData("utf8.txt"), 44);
}

TEST(PipelineTest, CountsOfCrlfWithoutFinalNewlineAreTheSame) {
  ExpectCountsOfPipeline(TestData("crlf_no_final_newline.txt"), 21);
}

TEST(PipelineTest, TextsWithoutWordsHaveNone) {
  ExpectCountsOfPipeline(TestData("no_words.txt"), 0);
  ExpectCountsOfPipeline(TestData("empty.txt"), 0);
}

// Every byte but NUL between letters, and runs of letters of many lengths: up
// to a mebibyte.
TEST(PipelineTest, CountsOfOddBytesAndLongRunsAreTheSame) {
  std::string text;
  for (int byte = 1; byte < 256; ++byte) {
    text += {'x', static_cast<char>(byte), 'y', ' '};
  }
  Random random(1);
  for (size_t letters : {1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 1000, 1 << 20}) {
    std::string run;
    for (size_t i = 0; i < letters; ++i) {
      run += (random.Uniform(2) == 0 ? 'a' : 'A') + random.Uniform(26);
    }
    text += run + "\n" + run + "x" + "\n" + run + ".";
  }
  const std::string path = TempPath("odd.txt");
  std::ofstream(path, std::ios::binary) << text;
  ExpectCountsOfPipeline(path, 52);
}

}  // namespace
}  // namespace troupe::word_count
