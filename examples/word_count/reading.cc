#include "troupe/examples/word_count/reading.h"

#include <utility>

#include "absl/status/statusor.h"

namespace troupe::word_count {

Reader::Reader(std::vector<std::string> paths, size_t chunk_bytes,
               ActorRef<InputsRead> told)
    : paths_(std::move(paths)), chunk_bytes_(chunk_bytes), told_(told) {}

void Reader::Handle(Refill&& refill) {
  ReadNext(refill.buffer);
  refill.to.Send<Chunk>(std::move(refill.buffer));
}

void Reader::ReadNext(std::string& chunk) {
  while (next_path_ < paths_.size()) {
    const absl::Status status = ReadFromInput(chunk);
    if (status.ok() && !chunk.empty()) return;
    if (status.ok()) {
      ++inputs_;
    } else {
      errors_.emplace_back(status.message());
    }
    input_.reset();
    if (++next_path_ == paths_.size()) {
      told_.Send<InputsRead>(inputs_, std::move(errors_));
    }
  }
  chunk.clear();
}

absl::Status Reader::ReadFromInput(std::string& chunk) {
  if (!input_.has_value()) {
    absl::StatusOr<ChunkReader> opened =
        ChunkReader::Open(paths_[next_path_], {.chunk_bytes = chunk_bytes_});
    if (!opened.ok()) return opened.status();
    input_.emplace(*std::move(opened));
  }
  return input_->Next(chunk);
}

}  // namespace troupe::word_count
