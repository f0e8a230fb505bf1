#include "troupe/examples/word_count/counting.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/call.h"
#include "troupe/actor/completion.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/task.h"
#include "troupe/examples/word_count/reading.h"
#include "troupe/scheduler/executor.h"

namespace troupe::word_count {
namespace {

constexpr int kBuffersPerCounter = 2;

struct Progress {
  int64_t bytes;
};

struct Counted {
  WordCounts counts;
};

struct Count {
  using Reply = Outcome;
};

struct ReducerApi : Protocol<Count, Progress, Counted, InputsRead> {};

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
// are its children: when one of them fails, so does the reducer, and the call.
class Reducer : public Actor<ReducerApi> {
 public:
  // All is handled while the count is awaited.
  using Interleaved = ReducerApi;

  explicit Reducer(const CountingOptions* options) : options_(*options) {}

  Task<absl::StatusOr<Outcome>> Handle(Count) {
    auto [completer, all_counted] = MakeCompletion<void>();
    all_counted_ = std::move(completer);
    absl::Status status = StartOthers();
    if (status.ok()) status = co_await std::move(all_counted);
    StopSelf();
    if (!status.ok()) co_return status;
    co_return std::move(outcome_);
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
  absl::Status StartOthers() {
    absl::StatusOr<ActorRef<Refill>> reader =
        SpawnInstant<Reader>({.dedicated_thread = true}, options_.paths,
                             options_.chunk_bytes, self());
    if (!reader.ok()) return reader.status();
    awaited_ = 1;
    for (; awaited_ <= system().executor().shared_workers(); ++awaited_) {
      absl::StatusOr<ActorRef<Chunk>> counter = Spawn<Counter>(*reader, self());
      if (!counter.ok()) return counter.status();
    }
    return absl::OkStatus();
  }
  void EndIfLast() {
    if (--awaited_ > 0) return;
    (void)all_counted_.Complete();
  }

  const CountingOptions& options_;
  Completer<void> all_counted_;
  int awaited_ = 0;  // Counters that count, and the reader while it reads.
  int64_t bytes_ = 0;
  Outcome outcome_;
};

}  // namespace

absl::StatusOr<Outcome> CountWords(const CountingOptions& options,
                                   ActorSystem& system) {
  if (options.paths.empty()) return Outcome();
  const absl::StatusOr<ActorRef<ReducerApi>> reducer =
      system.Spawn<Reducer>(&options);
  if (!reducer.ok()) return reducer.status();
  absl::StatusOr<Outcome> outcome =
      reducer->Call<Count>().Within(absl::InfiniteDuration()).Wait();
  // It refers to `options`.
  const absl::StatusOr<ExitReason> ended = reducer->Wait();
  if (!ended.ok()) return ended.status();
  return outcome;
}

}  // namespace troupe::word_count
