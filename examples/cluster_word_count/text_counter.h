// The actor that counts a piece of text, where it was started.
#ifndef TROUPE_EXAMPLES_CLUSTER_WORD_COUNT_TEXT_COUNTER_H_
#define TROUPE_EXAMPLES_CLUSTER_WORD_COUNT_TEXT_COUNTER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "troupe/actor/actor.h"
#include "troupe/examples/word_count/word_counts.h"

namespace troupe::word_count {

struct TextCounts {
  std::vector<WordCount> words;
  int64_t text_bytes = 0;
};

// Words at both ends of the text are whole.
struct CountText {
  static constexpr absl::string_view kWireName = "word_count.CountText";
  using Reply = TextCounts;
  std::string text;
};

class TextCounter : public Actor<CountText> {
 public:
  TextCounts Handle(const CountText& m) {
    WordCounts counts;
    counts.Add(m.text);
    return {counts.All(), counts.bytes()};
  }
};

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_CLUSTER_WORD_COUNT_TEXT_COUNTER_H_
