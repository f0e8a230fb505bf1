// A Stage is where one workload runs once: its actor systems, what is measured
// of it, and its verdict.
//
//   void StartPingPong(Stage& stage) {
//     const int64_t messages = stage.Begin(stage.Scaled(2'000'000));
//     const auto ann = stage.here().Spawn<PingPong>(stage).value();
//     ...                      // the last actor calls stage.Finish()
//   }
//
// Ownership: actors of the workload refer to the stage, which ends them.
// Blocking: Create(), Await() and the destructor.
// Thread safety: Check() and Finish() from any actor; all else belongs to the
// thread that made the stage.
#ifndef TROUPE_BENCHMARKS_STAGE_H_
#define TROUPE_BENCHMARKS_STAGE_H_

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/clock.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe::benchmarks {

// After how many sends producers and drivers let others run, by a message to
// themselves.
inline constexpr int kSendsPerTurn = 256;

// What one run cost, from the first send or spawn to the proof that all is
// done.
struct Measured {
  int64_t operations = 0;
  absl::Duration elapsed;
  uint64_t allocations = 0;
  // Times that a sleeping worker was woken.
  uint64_t wakes = 0;
  // Of the process; at its peak, and by how much it grew.
  int64_t peak_rss_bytes = 0;
  int64_t rss_growth_bytes = 0;
};

class Stage {
 public:
  struct Options {
    int workers = 1;
    // Keeps the two sides of a workload on a worker each.
    bool forced = false;
    // What numbers of operations are multiplied with.
    double scale = 1;
    // See ThreadExecutor::Options.
    absl::Duration take_over_after = absl::Milliseconds(1);
    // See ActorSystem::Options. Some workloads are floods.
    uint32_t high_water_messages = std::numeric_limits<uint32_t>::max();
  };

  static absl::StatusOr<std::unique_ptr<Stage>> Create(const Options& options);

  // Where the two sides live. One system; with Options::forced two of one
  // worker each, because actors never move from one system to another.
  ActorSystem& here() { return *sides_.front().system; }
  ActorSystem& there() { return *sides_.back().system; }

  // As many as the options want instead of `operations`; at least one.
  int64_t Scaled(int64_t operations) const;

  // Begins the measurement. Returns `operations`.
  int64_t Begin(int64_t operations);

  // Unless `actual` is as expected, ends the run with an error that says so.
  bool Check(absl::string_view what, int64_t actual, int64_t expected) {
    if (actual == expected) [[likely]] {
      return true;
    }
    FinishWrong(what, actual, expected);
    return false;
  }

  // Ends the measurement: all is done.
  void Finish() { FinishWith(absl::OkStatus()); }

  // Waits for the first call of Finish(), then ends all actors.
  // kInternal: the run came to a wrong result, or messages were lost.
  // kDeadlineExceeded: it has not finished within `timeout`.
  absl::StatusOr<Measured> Await(absl::Duration timeout);

 private:
  struct Side {
    ThreadExecutor* executor;  // The system's.
    std::unique_ptr<ActorSystem> system;
  };

  explicit Stage(const Options& options) : options_(options) {}

  absl::Status AddSide(int workers);
  uint64_t Wakes() const;
  void FinishWrong(absl::string_view what, int64_t actual, int64_t expected);
  void FinishWith(absl::Status verdict) ABSL_LOCKS_EXCLUDED(mu_);

  const Options options_;
  MonotonicTime begun_;
  uint64_t allocations_before_ = 0;
  uint64_t wakes_before_ = 0;
  int64_t resident_before_ = 0;

  absl::Mutex mu_;
  bool finished_ ABSL_GUARDED_BY(mu_) = false;
  absl::Status verdict_ ABSL_GUARDED_BY(mu_);
  Measured measured_ ABSL_GUARDED_BY(mu_);

  // Last: actors use all the rest until they end.
  std::vector<Side> sides_;
};

}  // namespace troupe::benchmarks

#endif  // TROUPE_BENCHMARKS_STAGE_H_
