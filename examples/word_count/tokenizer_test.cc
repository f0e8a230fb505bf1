#include "troupe/examples/word_count/tokenizer.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe::word_count {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::troupe::testing::SeedTrace;
using ::troupe::testing::TestSeeds;

std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  ForEachWord(text, [&](std::string_view word) { words.emplace_back(word); });
  return words;
}

// The definition, one byte at a time.
std::vector<std::string> WordsByDefinition(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  for (char c : text) {
    if (IsLetter(c)) {
      if (!in_word) words.emplace_back();
      words.back() += c;
    }
    in_word = IsLetter(c);
  }
  return words;
}

TEST(TokenizerTest, OnlyAsciiLettersAreLetters) {
  std::string letters;
  for (int byte = 0; byte < 256; ++byte) {
    if (IsLetter(static_cast<char>(byte))) letters += static_cast<char>(byte);
  }
  EXPECT_EQ(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

TEST(TokenizerTest, TextWithoutLettersHasNoWords) {
  EXPECT_THAT(Words(""), IsEmpty());
  EXPECT_THAT(Words(std::string_view()), IsEmpty());
  EXPECT_THAT(Words("1, 2; 3!\r\n"), IsEmpty());
  EXPECT_THAT(Words(std::string(200, '-')), IsEmpty());
}

TEST(TokenizerTest, WordsKeepTheirSpelling) {
  EXPECT_THAT(Words("The cat, THE dOG"),
              ElementsAre("The", "cat", "THE", "dOG"));
}

TEST(TokenizerTest, AnyOtherByteSeparatesWords) {
  EXPECT_THAT(Words("don't e-mail x86_64"),
              ElementsAre("don", "t", "e", "mail", "x"));
  EXPECT_THAT(Words("one\r\ntwo\tthree\vfour"),
              ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(Words("na\u00efve"), ElementsAre("na", "ve"));
  EXPECT_THAT(Words(std::string_view("a\0b", 3)), ElementsAre("a", "b"));
}

TEST(TokenizerTest, EveryByteIsClassifiedAsByDefinition) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = {'x', static_cast<char>(byte), 'y'};
    EXPECT_EQ(Words(text), WordsByDefinition(text)) << "byte " << byte;
  }
}

// Words of every length, at every place relative to the blocks of 64 bytes in
// which the text is looked at.
TEST(TokenizerTest, WordsMayLieAnywhereInTheText) {
  for (size_t before = 0; before < 70; ++before) {
    for (size_t letters = 1; letters < 140; ++letters) {
      for (size_t after : {0, 1, 64}) {
        const std::string word(letters, 'w');
        const std::string text =
            std::string(before, ' ') + word + std::string(after, '.');
        ASSERT_THAT(Words(text), ElementsAre(word))
            << before << " bytes before it, " << after << " after it";
      }
    }
  }
}

TEST(TokenizerTest, RandomTextHasTheWordsOfTheDefinition) {
  constexpr char kBytes[] = "aZzAm@[`{ \n\xc3\xe1";
  for (uint64_t seed : TestSeeds(500)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    std::string text;
    for (size_t i = random.Uniform(400); i > 0; --i) {
      text += kBytes[random.Uniform(sizeof(kBytes) - 1)];
    }
    ASSERT_EQ(Words(text), WordsByDefinition(text));
  }
}

TEST(TokenizerTest, WholeWordsEndBehindTheLastSeparator) {
  EXPECT_EQ(WholeWordsBytes(""), 0);
  EXPECT_EQ(WholeWordsBytes("word"), 0);
  EXPECT_EQ(WholeWordsBytes(" word"), 1);
  EXPECT_EQ(WholeWordsBytes("two words"), 4);
  EXPECT_EQ(WholeWordsBytes("two words "), 10);
  EXPECT_EQ(WholeWordsBytes("..."), 3);
}

}  // namespace
}  // namespace troupe::word_count
