#include "troupe/examples/word_count/word_counts.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "troupe/base/check.h"
#include "troupe/examples/word_count/tokenizer.h"

namespace troupe::word_count {
namespace {

// The bit that tells an upper-case letter from its lower-case one.
constexpr char kLowerCaseBit = 0x20;
constexpr uint64_t kLowerCaseBits = 0x2020202020202020;

std::string LowerCase(std::string_view word) {
  std::string lower(word);
  for (char& letter : lower) letter |= kLowerCaseBit;
  return lower;
}

// A word without its copy, for sorting.
struct Candidate {
  std::string_view word;
  int64_t count;
};

bool ComesBefore(const Candidate& a, const Candidate& b) {
  return std::tie(b.count, a.word) < std::tie(a.count, b.word);
}

}  // namespace

WordCounts& WordCounts::operator=(WordCounts&& other) noexcept {
  short_words_ = std::exchange(other.short_words_, {});
  long_words_ = std::exchange(other.long_words_, {});
  words_ = std::exchange(other.words_, 0);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void WordCounts::Add(std::string_view text) {
  const char* const text_end = text.data() + text.size();
  int64_t words = 0;
  ForEachWord(text, [&](std::string_view word) {
    ++words;
    if (word.size() <= ShortWord::kMaxLetters) {
      ++short_words_[Pack(word, text_end)];
    } else {
      ++long_words_[LowerCase(word)];
    }
  });
  words_ += words;
  bytes_ += text.size();
}

void WordCounts::AddCounted(const std::vector<WordCount>& words,
                            int64_t text_bytes) {
  for (const auto& [word, count] : words) {
    if (word.size() <= ShortWord::kMaxLetters) {
      short_words_[Pack(word, word.data() + word.size())] += count;
    } else {
      long_words_[word] += count;
    }
    words_ += count;
  }
  bytes_ += text_bytes;
}

void WordCounts::Merge(WordCounts&& other) {
  TROUPE_CHECK(&other != this, "counts are not merged into themselves");
  // The bigger tables stay; the smaller ones are moved entry by entry.
  if (other.short_words_.size() > short_words_.size()) {
    short_words_.swap(other.short_words_);
  }
  if (other.long_words_.size() > long_words_.size()) {
    long_words_.swap(other.long_words_);
  }
  for (const auto& [word, count] : other.short_words_) {
    short_words_[word] += count;
  }
  for (auto it = other.long_words_.begin(); it != other.long_words_.end();) {
    const int64_t count = it->second;
    auto result = long_words_.insert(other.long_words_.extract(it++));
    if (!result.inserted) result.position->second += count;
  }
  words_ += other.words_;
  bytes_ += other.bytes_;
  other = WordCounts();
}

std::vector<WordCount> WordCounts::TopN(size_t n) const {
  std::vector<Candidate> candidates;
  candidates.reserve(distinct());
  for (const auto& [word, count] : short_words_) {
    candidates.push_back({Letters(word), count});
  }
  for (const auto& [word, count] : long_words_) {
    candidates.push_back({word, count});
  }
  const auto top_end = candidates.begin() + std::min(n, candidates.size());
  std::partial_sort(candidates.begin(), top_end, candidates.end(), ComesBefore);
  std::vector<WordCount> top;
  top.reserve(top_end - candidates.begin());
  for (auto it = candidates.begin(); it != top_end; ++it) {
    top.push_back({std::string(it->word), it->count});
  }
  return top;
}

// `text_end` is the end of the text that `word` lies in: up to there more bytes
// than the word's may be read.
inline WordCounts::ShortWord WordCounts::Pack(std::string_view word,
                                              const char* text_end) {
  char copy[ShortWord::kMaxLetters];
  const char* letters = word.data();
  if (text_end - letters < ShortWord::kMaxLetters) {
    std::memcpy(copy, letters, word.size());
    letters = copy;
  }
  // A window into this begins with as many ones as the word has letters.
  static constexpr char kMasks[2 * ShortWord::kMaxLetters] = {
      -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  const char* mask = kMasks + ShortWord::kMaxLetters - word.size();
  const auto load8 = [](const char* bytes) {
    uint64_t value;
    std::memcpy(&value, bytes, sizeof(value));
    return value;
  };
  return {
      .first8 = (load8(letters) | kLowerCaseBits) & load8(mask),
      .last8 = (load8(letters + 8) | kLowerCaseBits) & load8(mask + 8),
  };
}

// REQUIRES: `word` outlives what is returned.
std::string_view WordCounts::Letters(const ShortWord& word) {
  static_assert(std::endian::native == std::endian::little);
  static_assert(sizeof(word) == ShortWord::kMaxLetters);
  const char* letters = reinterpret_cast<const char*>(&word);
  return {letters, strnlen(letters, ShortWord::kMaxLetters)};
}

}  // namespace troupe::word_count
