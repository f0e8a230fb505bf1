// The actor that reads the inputs, one after the other, whoever counts them:
// each Refill is answered by a Chunk, which is empty if there is no more.
//
// Ownership: a buffer is whoever's it was sent to; nothing else is kept, so
// that as many chunks are in memory as were asked for.
// Blocking: its handler waits for as long as a file or a pipe does. It needs a
// thread of its own: {.dedicated_thread = true}.
#ifndef TROUPE_EXAMPLES_WORD_COUNT_READING_H_
#define TROUPE_EXAMPLES_WORD_COUNT_READING_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/examples/word_count/chunk_reader.h"

namespace troupe::word_count {

// Text without cut words; empty if there is no more.
struct Chunk {
  std::string text;
};

// A wish for a chunk, and a buffer for it.
struct Refill {
  ActorRef<Chunk> to;
  std::string buffer;
};

// Before the first chunk that is empty.
struct InputsRead {
  int inputs;  // Read to their end.
  // One message for each of the others, in their order.
  std::vector<std::string> errors;
};

class Reader : public Actor<Refill> {
 public:
  // REQUIRES: there are paths.
  Reader(std::vector<std::string> paths, size_t chunk_bytes,
         ActorRef<InputsRead> told);

  void Handle(Refill&& refill);

 private:
  void ReadNext(std::string& chunk);
  absl::Status ReadFromInput(std::string& chunk);

  const std::vector<std::string> paths_;
  const size_t chunk_bytes_;
  const ActorRef<InputsRead> told_;
  size_t next_path_ = 0;
  std::optional<ChunkReader> input_;
  int inputs_ = 0;
  std::vector<std::string> errors_;
};

}  // namespace troupe::word_count

#endif  // TROUPE_EXAMPLES_WORD_COUNT_READING_H_
