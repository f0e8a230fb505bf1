// Any text, whole and in chunks: the words are those that a loop over its bytes
// finds.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "troupe/examples/word_count/chunk_reader.h"
#include "troupe/examples/word_count/tokenizer.h"
#include "troupe/tools/fuzz/input.h"

namespace troupe::word_count {
namespace {

using Words = std::vector<std::string>;

Words WordsByByte(std::string_view text) {
  Words words;
  bool in_word = false;
  for (const char c : text) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (letter && !in_word) words.emplace_back();
    if (letter) words.back().push_back(c);
    in_word = letter;
  }
  return words;
}

void AddWords(std::string_view text, Words& words) {
  ForEachWord(text,
              [&words](std::string_view word) { words.emplace_back(word); });
}

// What comes from a file that gives a few bytes at a time.
Words WordsOfChunks(std::string_view text, size_t chunk_bytes,
                    size_t read_bytes) {
  std::string_view left = text;
  ChunkReaderOptions options;
  options.chunk_bytes = chunk_bytes;
  options.read = [&](int, void* buffer, size_t size) -> ssize_t {
    const size_t count = std::min({size, read_bytes, left.size()});
    if (count != 0) std::memcpy(buffer, left.data(), count);
    left.remove_prefix(count);
    return static_cast<ssize_t>(count);
  };
  absl::StatusOr<ChunkReader> reader =
      ChunkReader::Open("-", std::move(options));
  const bool binary =
      text.substr(0, ChunkReader::kBinaryCheckBytes).find('\0') !=
      std::string_view::npos;
  EXPECT_EQ(reader.ok(), !binary);
  if (!reader.ok()) {
    EXPECT_EQ(reader.status().code(), absl::StatusCode::kInvalidArgument);
    return WordsByByte(text);
  }
  Words words;
  std::string all;
  std::string chunk;
  do {
    EXPECT_TRUE(reader->Next(chunk).ok());
    AddWords(chunk, words);
    all += chunk;
  } while (!chunk.empty());
  EXPECT_EQ(all, text);
  return words;
}

void Check(FuzzInput& input) {
  const size_t chunk_bytes = 1 + input.Uniform(200);
  const size_t read_bytes = 1 + input.Uniform(200);
  const absl::string_view bytes = input.TakeAll();
  const std::string_view text(bytes.data(), bytes.size());
  const Words expected = WordsByByte(text);
  Words words;
  AddWords(text, words);
  EXPECT_EQ(words, expected);
  EXPECT_EQ(WordsOfChunks(text, chunk_bytes, read_bytes), expected);

  const size_t whole = WholeWordsBytes(text);
  EXPECT_LE(whole, text.size());
  EXPECT_TRUE(whole == 0 || !IsLetter(text[whole - 1]));
  for (const char c : text.substr(whole)) EXPECT_TRUE(IsLetter(c));
}

}  // namespace
}  // namespace troupe::word_count

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::FuzzInput input(data, size);
  troupe::word_count::Check(input);
  return 0;
}
