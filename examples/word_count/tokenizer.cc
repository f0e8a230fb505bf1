#include "troupe/examples/word_count/tokenizer.h"

namespace troupe::word_count {

size_t WholeWordsBytes(std::string_view text) {
  size_t bytes = text.size();
  while (bytes > 0 && IsLetter(text[bytes - 1])) --bytes;
  return bytes;
}

}  // namespace troupe::word_count
