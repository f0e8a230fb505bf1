// What a word is: a run of ASCII letters, as long as it can be. All other bytes
// separate words, those of UTF-8 letters included, so that "naïve" is two words
// and "don't" is two words.
//
// Example:
//
//   ForEachWord("It's 9 o'clock", [](std::string_view word) {
//     std::cout << word << "\n";  // It, s, o, clock
//   });
#ifndef TROUPE_EXAMPLES_WORD_COUNT_TOKENIZER_H_
#define TROUPE_EXAMPLES_WORD_COUNT_TOKENIZER_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace troupe::word_count {

constexpr bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// The size of the longest prefix of `text` that ends with a byte that is not a
// letter; 0 if there is none. `text` can be cut there without cutting a word.
size_t WholeWordsBytes(std::string_view text);

namespace internal {

// Bit i tells whether block[i] is a letter.
// REQUIRES: 64 bytes can be read.
uint64_t LettersOf64Bytes(const char* block);

}  // namespace internal

// Calls `visit(std::string_view word)` for each word of `text`, from left to
// right, spelled as in `text`. Each view points into `text`.
template <typename Visitor>
void ForEachWord(std::string_view text, Visitor visit) {
  // One bit per byte, 64 at a time: where words start and end follows from
  // shifts, and the processor mispredicts a branch per block, not per word.
  constexpr size_t kBlockBytes = 64;
  const char* const end = text.data() + text.size();
  const char* word = nullptr;  // Start of the word that the last block cut.
  uint64_t in_word = 0;        // 1 if the last block ended with a letter.
  for (size_t offset = 0; offset < text.size(); offset += kBlockBytes) {
    const char* const block = text.data() + offset;
    uint64_t letters;
    if (text.size() - offset >= kBlockBytes) {
      letters = internal::LettersOf64Bytes(block);
    } else {
      char last_block[kBlockBytes] = {};
      std::memcpy(last_block, block, text.size() - offset);
      letters = internal::LettersOf64Bytes(last_block);
    }
    const uint64_t letters_before = letters << 1 | in_word;
    uint64_t starts = letters & ~letters_before;
    uint64_t ends = ~letters & letters_before;
    // Starts and ends alternate. After the last start this steps to the block's
    // end, which is never used: the next block begins with `in_word` or with a
    // start of its own.
    const auto next_start = [&] {
      const char* start = block + std::countr_zero(starts);
      starts &= starts - 1;
      return start;
    };
    if (in_word == 0) word = next_start();
    while (ends != 0) {
      const char* word_end = block + std::countr_zero(ends);
      ends &= ends - 1;
      visit(std::string_view(word, word_end - word));
      word = next_start();
    }
    in_word = letters >> 63;
  }
  if (in_word != 0) visit(std::string_view(word, end - word));
}

namespace internal {

inline uint64_t LettersOf64Bytes(const char* block) {
  static_assert(std::endian::native == std::endian::little);
  constexpr auto repeat = [](uint64_t byte) {
    return byte * 0x0101010101010101;
  };
  uint64_t letters = 0;
  for (int i = 0; i < 64; i += 8) {
    uint64_t bytes;
    std::memcpy(&bytes, block + i, sizeof(bytes));
    // In each byte: the highest bit becomes "is a letter". No sum reaches the
    // next byte, because the summands are below 128.
    const uint64_t lower = (bytes | repeat(0x20)) & repeat(0x7f);
    const uint64_t from_a = lower + repeat(0x80 - 'a');
    const uint64_t past_z = lower + repeat(0x80 - 'z' - 1);
    const uint64_t is_letter = from_a & ~past_z & ~bytes & repeat(0x80);
    // Gathers the eight bits, 8 apart, in the highest byte.
    letters |= ((is_letter >> 7) * 0x0102040810204080 >> 56) << i;
  }
  return letters;
}

}  // namespace internal
}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_TOKENIZER_H_
