#include "troupe/examples/word_count/word_counts.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <map>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/base/random.h"
#include "troupe/testing/seeds.h"

namespace troupe::word_count {

void PrintTo(const WordCount& entry, std::ostream* os) {
  *os << entry.count << " " << entry.word;
}

namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::troupe::testing::SeedTrace;
using ::troupe::testing::TestSeeds;

constexpr size_t kAll = std::numeric_limits<size_t>::max();

WordCounts CountsOf(std::string_view text) {
  WordCounts counts;
  counts.Add(text);
  return counts;
}

TEST(WordCountsTest, NothingAddedIsNothingCounted) {
  const WordCounts counts;
  EXPECT_THAT(counts.TopN(kAll), IsEmpty());
  EXPECT_EQ(counts.words(), 0);
  EXPECT_EQ(counts.distinct(), 0);
  EXPECT_EQ(counts.bytes(), 0);
}

TEST(WordCountsTest, CaseMakesNoDifference) {
  EXPECT_THAT(CountsOf("The cat and THE dog. tHe end").TopN(1),
              ElementsAre(WordCount{"the", 3}));
  EXPECT_THAT(
      CountsOf("AntidisestablishmentarianisM ANTIDISESTABLISHMENTARIANISM")
          .TopN(kAll),
      ElementsAre(WordCount{"antidisestablishmentarianism", 2}));
}

TEST(WordCountsTest, TopIsOrderedByCountThenByWord) {
  const WordCounts counts = CountsOf("b b c c a d d d e zz z aa");
  EXPECT_THAT(
      counts.TopN(kAll),
      ElementsAre(WordCount{"d", 3}, WordCount{"b", 2}, WordCount{"c", 2},
                  WordCount{"a", 1}, WordCount{"aa", 1}, WordCount{"e", 1},
                  WordCount{"z", 1}, WordCount{"zz", 1}));
  EXPECT_THAT(counts.TopN(2),
              ElementsAre(WordCount{"d", 3}, WordCount{"b", 2}));
  EXPECT_THAT(counts.TopN(0), IsEmpty());
}

TEST(WordCountsTest, ShortAndLongWordsAreOrderedTogether) {
  const std::string n15(15, 'n'), n16(16, 'n'), n17(17, 'n'), n18(18, 'n');
  EXPECT_THAT(CountsOf(n18 + " " + n16 + " " + n15 + " " + n17).TopN(kAll),
              ElementsAre(WordCount{n15, 1}, WordCount{n16, 1},
                          WordCount{n17, 1}, WordCount{n18, 1}));
}

TEST(WordCountsTest, TotalsAreOfEverythingAdded) {
  WordCounts counts;
  counts.Add("one two, one ");
  counts.Add("\n\n");
  counts.Add("otorhinolaryngologist one");
  EXPECT_EQ(counts.words(), 5);
  EXPECT_EQ(counts.distinct(), 3);
  EXPECT_EQ(counts.bytes(), 40);
}

// Each length is counted apart from its neighbours, wherever the text ends
// behind the word.
TEST(WordCountsTest, WordsOfEveryLengthAreDistinct) {
  constexpr int kLongest = 40;
  for (int separators : {1, 3, 50}) {
    WordCounts counts;
    for (int length = 1; length <= kLongest; ++length) {
      counts.Add(std::string(length, 'Q'));
      counts.Add(std::string(length, 'q') + std::string(separators, ' '));
    }
    EXPECT_EQ(counts.distinct(), kLongest);
    int length = 0;
    for (const WordCount& entry : counts.TopN(kAll)) {
      EXPECT_EQ(entry, (WordCount{std::string(++length, 'q'), 2}));
    }
    EXPECT_EQ(length, kLongest);
  }
}

// Words are loaded in pieces of a fixed size; none may reach beyond the text.
// Here the text ends where a page begins that cannot be read.
TEST(WordCountsTest, NothingBehindTheTextIsRead) {
  const size_t page_bytes = ::sysconf(_SC_PAGESIZE);
  void* const pages = ::mmap(nullptr, 2 * page_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  char* const end = static_cast<char*>(pages) + page_bytes;
  ASSERT_EQ(::mprotect(end, page_bytes, PROT_NONE), 0);
  std::memset(pages, 'x', page_bytes);
  for (size_t letters = 1; letters <= 20; ++letters) {
    end[-static_cast<ptrdiff_t>(letters) - 1] = ' ';
    for (size_t text_bytes : {letters, letters + 1, letters + 64}) {
      WordCounts counts;
      counts.Add(std::string_view(end - text_bytes, text_bytes));
      EXPECT_THAT(counts.TopN(kAll),
                  Contains(WordCount{std::string(letters, 'x'), 1}));
    }
    end[-static_cast<ptrdiff_t>(letters) - 1] = 'x';
  }
  ASSERT_EQ(::munmap(pages, 2 * page_bytes), 0);
}

TEST(WordCountsTest, WordsThatDifferInOneLetterAreDistinct) {
  for (int length : {1, 8, 9, 16, 17}) {
    WordCounts counts;
    for (int i = 0; i < length; ++i) {
      std::string word(length, 'a');
      word[i] = 'b';
      counts.Add(word);
    }
    EXPECT_EQ(counts.distinct(), length);
  }
}

TEST(WordCountsTest, MergeAddsUpWhatBothHaveCounted) {
  WordCounts counts = CountsOf("a b b otorhinolaryngologist");
  WordCounts other =
      CountsOf("b c otorhinolaryngologist electroencephalograph");
  counts.Merge(std::move(other));
  EXPECT_THAT(
      counts.TopN(kAll),
      ElementsAre(WordCount{"b", 3}, WordCount{"otorhinolaryngologist", 2},
                  WordCount{"a", 1}, WordCount{"c", 1},
                  WordCount{"electroencephalograph", 1}));
  EXPECT_EQ(counts.words(), 8);
  EXPECT_EQ(counts.distinct(), 5);
  EXPECT_EQ(counts.bytes(), 27 + 47);
}

TEST(WordCountsTest, MergedCountsAreLeftEmpty) {
  WordCounts counts = CountsOf("a");
  WordCounts other = CountsOf("a b c otorhinolaryngologist");
  counts.Merge(std::move(other));
  EXPECT_THAT(other.TopN(kAll), IsEmpty());
  EXPECT_EQ(other.words(), 0);
  EXPECT_EQ(other.bytes(), 0);
}

TEST(WordCountsTest, WhatWasCountedElsewhereIsAdded) {
  const WordCounts elsewhere = CountsOf(
      "a cat of sixteenletterword and an otorhinolaryngologist, a cat");
  WordCounts counts = CountsOf("A cat and otorhinolaryngologist");
  counts.AddCounted(elsewhere.All(), elsewhere.bytes());
  EXPECT_THAT(
      counts.All(),
      ElementsAre(WordCount{"a", 3}, WordCount{"cat", 3}, WordCount{"and", 2},
                  WordCount{"otorhinolaryngologist", 2}, WordCount{"an", 1},
                  WordCount{"of", 1}, WordCount{"sixteenletterword", 1}));
  EXPECT_EQ(counts.words(), 4 + 9);
  EXPECT_EQ(counts.bytes(), 31 + elsewhere.bytes());
}

TEST(WordCountsTest, MovedFromCountsAreEmptyAndUsable) {
  static_assert(std::is_nothrow_move_constructible_v<WordCounts>);
  static_assert(std::is_nothrow_move_assignable_v<WordCounts>);
  static_assert(!std::is_copy_constructible_v<WordCounts>);
  WordCounts from = CountsOf("a a otorhinolaryngologist");
  const WordCounts to = std::move(from);
  EXPECT_EQ(to.words(), 3);
  EXPECT_EQ(from.words(), 0);
  EXPECT_EQ(from.distinct(), 0);
  EXPECT_EQ(from.bytes(), 0);
  from.Add("b");
  EXPECT_THAT(from.TopN(kAll), ElementsAre(WordCount{"b", 1}));
}

// Against an ordered map, with enough words that the tables grow many times;
// counted by several and merged in an order that the seed decides.
TEST(WordCountsTest, ManyWordsAreCountedAsByAnOrderedMap) {
  for (uint64_t seed : TestSeeds(5)) {
    SCOPED_TRACE(SeedTrace(seed));
    Random random(seed);
    std::map<std::string, int64_t> expected;
    std::vector<WordCounts> parts(4);
    for (int i = 0; i < 20'000; ++i) {
      std::string word;
      for (size_t letters = 1 + random.Uniform(20); letters > 0; --letters) {
        word += 'a' + static_cast<char>(random.Uniform(3));
      }
      ++expected[word];
      parts[random.Uniform(parts.size())].Add(word);
    }
    while (parts.size() > 1) {
      WordCounts last = std::move(parts.back());
      parts.pop_back();
      parts[random.Uniform(parts.size())].Merge(std::move(last));
    }
    std::map<std::string, int64_t> actual;
    for (const WordCount& entry : parts[0].TopN(kAll)) {
      actual.emplace(entry.word, entry.count);
    }
    ASSERT_EQ(actual, expected);
    ASSERT_EQ(parts[0].words(), 20'000);
    ASSERT_EQ(parts[0].distinct(), expected.size());
  }
}

}  // namespace
}  // namespace troupe::word_count
