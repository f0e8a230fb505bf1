// How often each word occurs in the texts seen so far. Words are compared
// without regard to case and reported in lower case.
//
// Example:
//
//   WordCounts counts;
//   counts.Add("The cat and the dog");
//   counts.TopN(1);  // {{.word = "the", .count = 2}}
#ifndef TROUPE_EXAMPLES_WORD_COUNT_WORD_COUNTS_H_
#define TROUPE_EXAMPLES_WORD_COUNT_WORD_COUNTS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace troupe::word_count {

struct WordCount {
  std::string word;
  int64_t count = 0;

  friend bool operator==(const WordCount&, const WordCount&) = default;
};

// Ownership: keeps copies of the words. Memory grows with the number of
// distinct words and with nothing else: 29 to 57 bytes for each one of at most
// 16 letters.
// Thread safety: none; each counter has its own, and one merges them.
class WordCounts {
 public:
  WordCounts() = default;
  WordCounts(WordCounts&& other) noexcept { *this = std::move(other); }
  WordCounts& operator=(WordCounts&& other) noexcept;

  // Counts the words of `text`. A word at its end is taken as whole: text that
  // comes in pieces must not be cut inside a word (see ChunkReader).
  void Add(std::string_view text);

  // Adds what was counted elsewhere, in a text of so many bytes.
  // REQUIRES: each word consists of lower-case letters, and each count is
  // positive.
  void AddCounted(const std::vector<WordCount>& words, int64_t text_bytes);

  // Adds everything that `other` has counted. Leaves `other` empty.
  // REQUIRES: &other != this
  void Merge(WordCounts&& other);

  // The `n` most frequent words, or all if there are fewer; by count, the
  // highest first, then by word.
  std::vector<WordCount> TopN(size_t n) const;

  // All of them.
  std::vector<WordCount> All() const { return TopN(distinct()); }

  // Totals of all that was added: words, different words, bytes of text.
  int64_t words() const { return words_; }
  int64_t distinct() const { return short_words_.size() + long_words_.size(); }
  int64_t bytes() const { return bytes_; }

 private:
  // A word of at most 16 letters, in lower case, padded with zeros. It lies in
  // the table itself, so that counting a word touches one cache line of keys
  // and compares two integers; fewer than 1 in 500 words of English are longer.
  struct ShortWord {
    static constexpr size_t kMaxLetters = 16;

    uint64_t first8;  // The first letter in the lowest byte.
    uint64_t last8;

    friend bool operator==(const ShortWord&, const ShortWord&) = default;
    template <typename H>
    friend H AbslHashValue(H state, const ShortWord& word) {
      return H::combine(std::move(state), word.first8, word.last8);
    }
  };

  static ShortWord Pack(std::string_view word, const char* text_end);
  static std::string_view Letters(const ShortWord& word);

  absl::flat_hash_map<ShortWord, int64_t> short_words_;
  absl::flat_hash_map<std::string, int64_t> long_words_;
  int64_t words_ = 0;
  int64_t bytes_ = 0;
};

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_WORD_COUNTS_H_
