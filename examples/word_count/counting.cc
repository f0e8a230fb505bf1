#include "troupe/examples/word_count/counting.h"

#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/examples/word_count/chunk_reader.h"
#include "troupe/scheduler/executor.h"

namespace troupe::word_count {
namespace {

constexpr int kBuffersPerCounter = 2;

// Text without cut words; empty if there is no more.
struct Chunk {
  std::string text;
};

// A wish for a chunk, and a buffer for it.
struct Refill {
  ActorRef<Chunk> counter;
  std::string buffer;
};

struct Progress {
  int64_t bytes;
};

struct Counted {
  WordCounts counts;
};

struct InputsRead {
  int inputs;
  std::vector<std::string> errors;
};

struct ReducerApi : Protocol<Progress, Counted, InputsRead> {};

// Reads the inputs, one after the other. Its handler blocks for as long as a
// file or a pipe does.
class Reader : public Actor<Refill> {
 public:
  Reader(const CountingOptions* options, ActorRef<InputsRead> reducer)
      : options_(*options), reducer_(reducer) {}

  void Handle(Refill&& refill) {
    ReadNext(refill.buffer);
    refill.counter.Send<Chunk>(std::move(refill.buffer));
  }

 private:
  void ReadNext(std::string& chunk) {
    while (next_path_ < options_.paths.size()) {
      const absl::Status status = ReadFromInput(chunk);
      if (status.ok() && !chunk.empty()) return;
      if (status.ok()) {
        ++inputs_;
      } else {
        errors_.emplace_back(status.message());
      }
      input_.reset();
      if (++next_path_ == options_.paths.size()) {
        reducer_.Send<InputsRead>(inputs_, std::move(errors_));
      }
    }
    chunk.clear();
  }

  absl::Status ReadFromInput(std::string& chunk) {
    if (!input_.has_value()) {
      absl::StatusOr<ChunkReader> opened = ChunkReader::Open(
          options_.paths[next_path_], {.chunk_bytes = options_.chunk_bytes});
      if (!opened.ok()) return opened.status();
      input_.emplace(*std::move(opened));
    }
    return input_->Next(chunk);
  }

  const CountingOptions& options_;
  const ActorRef<InputsRead> reducer_;
  size_t next_path_ = 0;
  std::optional<ChunkReader> input_;
  int inputs_ = 0;
  std::vector<std::string> errors_;
};

class Counter : public Actor<Chunk> {
 public:
  Counter(ActorRef<Refill> reader, ActorRef<ReducerApi> reducer)
      : reader_(reader), reducer_(reducer) {}

  void PostStart() {
    for (int i = 0; i < kBuffersPerCounter; ++i) {
      reader_.Send<Refill>(self(), std::string());
    }
  }

  void Handle(Chunk&& chunk) {
    if (!chunk.text.empty()) {
      counts_.Add(chunk.text);
      reducer_.Send<Progress>(static_cast<int64_t>(chunk.text.size()));
      reader_.Send<Refill>(self(), std::move(chunk.text));
    } else if (--buffers_ == 0) {
      reducer_.Send<Counted>(std::move(counts_));
    }
  }

 private:
  const ActorRef<Refill> reader_;
  const ActorRef<ReducerApi> reducer_;
  int buffers_ = kBuffersPerCounter;
  WordCounts counts_;
};

// Starts the others, merges what they bring, and ends when it has it all. They
// are its children: when one of them fails, so does the reducer.
class Reducer : public Actor<ReducerApi> {
 public:
  Reducer(const CountingOptions* options, std::optional<Outcome>* result)
      : options_(*options), result_(*result) {}

  absl::Status PreStart() {
    absl::StatusOr<ActorRef<Refill>> reader =
        SpawnInstant<Reader>({.dedicated_thread = true}, &options_, self());
    if (!reader.ok()) return reader.status();
    awaited_ = 1;
    for (; awaited_ <= system().executor().shared_workers(); ++awaited_) {
      absl::StatusOr<ActorRef<Chunk>> counter = Spawn<Counter>(*reader, self());
      if (!counter.ok()) return counter.status();
    }
    return absl::OkStatus();
  }

  void Handle(Progress progress) {
    bytes_ += progress.bytes;
    options_.on_progress(bytes_);
  }

  void Handle(Counted&& counted) {
    outcome_.counts.Merge(std::move(counted.counts));
    EndIfLast();
  }

  void Handle(InputsRead&& read) {
    outcome_.inputs = read.inputs;
    outcome_.errors = std::move(read.errors);
    EndIfLast();
  }

 private:
  void EndIfLast() {
    if (--awaited_ > 0) return;
    result_ = std::move(outcome_);
    StopSelf();
  }

  const CountingOptions& options_;
  std::optional<Outcome>& result_;
  int awaited_ = 0;  // Counters that count, and the reader while it reads.
  int64_t bytes_ = 0;
  Outcome outcome_;
};

}  // namespace

absl::StatusOr<Outcome> CountWords(const CountingOptions& options,
                                   ActorSystem& system) {
  if (options.paths.empty()) return Outcome();
  std::optional<Outcome> result;
  absl::StatusOr<ActorRef<ReducerApi>> reducer =
      system.Spawn<Reducer>(&options, &result);
  if (!reducer.ok()) return reducer.status();
  absl::StatusOr<ExitReason> reason = reducer->Wait();
  if (!reason.ok()) return reason.status();
  if (result.has_value()) return *std::move(result);
  if (!reason->status().ok()) return reason->status();
  return absl::AbortedError("the count ended early: " + reason->ToString());
}

}  // namespace troupe::word_count
