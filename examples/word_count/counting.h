// Counts the words of files with actors:
//
//            Refill, Chunk            Counted
//   Reader <--------------> Counter --------> Reducer
//     |       (one for each worker)              ^
//     +------------------------------------------+
//                       InputsRead
//
// A counter asks the reader for text by sending it an empty buffer, and gets it
// back filled. There are two buffers for each counter, one being filled while
// the other is counted, and no others: that bounds the memory, whatever the
// size of the files, and a slow counter is sent less.
//
// Example:
//
//   absl::StatusOr<Outcome> outcome =
//       CountWords({.paths = {"README.md"}}, system);
#ifndef TROUPE_EXAMPLES_WORD_COUNT_COUNTING_H_
#define TROUPE_EXAMPLES_WORD_COUNT_COUNTING_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/examples/word_count/word_counts.h"

namespace troupe::word_count {

struct CountingOptions {
  std::vector<std::string> paths = {};  // "-" is standard input.
  size_t chunk_bytes = 256 * 1024;
  // Called now and then with the bytes counted so far, by one thread at a time.
  std::function<void(int64_t bytes)> on_progress = [](int64_t) {};
};

struct Outcome {
  WordCounts counts;
  int inputs = 0;  // Counted to their end.
  // One message for each of the others, in the order of `paths`. What was read
  // before an error is counted.
  std::vector<std::string> errors;
};

// Counts the words of all inputs, with one counter for each worker of `system`.
//
// Blocking: until all is counted.
// Thread safety: any thread outside of handlers.
// Errors: kResourceExhausted: the reader's thread cannot be created. kAborted:
// an actor has failed, as for want of memory; the message says with what.
absl::StatusOr<Outcome> CountWords(const CountingOptions& options,
                                   ActorSystem& system);

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_COUNTING_H_
