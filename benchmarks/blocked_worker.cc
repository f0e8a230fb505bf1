// How long messages wait when a handler blocks that their actors share a worker
// with.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/clock.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/waits.h"

namespace troupe::benchmarks {
namespace {

constexpr int kOthers = 100;
constexpr int64_t kBlocks = 10;
constexpr absl::Duration kBlocked = absl::Milliseconds(50);
constexpr absl::Duration kBetweenPokes = absl::Microseconds(100);

// What actors tell the thread that pokes them.
class Tally {
 public:
  void BeginBlock() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    blocked_ = true;
    ++begun_;
  }
  void EndBlock() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    blocked_ = false;
  }
  void CountPoke() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    ++poked_;
  }

  // Until so many blocks have begun.
  void AwaitBlocks(int64_t blocks) ABSL_LOCKS_EXCLUDED(mu_) {
    const auto begun = [this, blocks]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return begun_ == blocks;
    };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&begun));
  }
  bool IsBlocked() ABSL_LOCKS_EXCLUDED(mu_) {
    absl::MutexLock lock(&mu_);
    return blocked_;
  }
  void AwaitPokes(int64_t pokes) ABSL_LOCKS_EXCLUDED(mu_) {
    const auto all = [this, pokes]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
      return poked_ == pokes;
    };
    absl::MutexLock lock(&mu_);
    mu_.Await(absl::Condition(&all));
  }

 private:
  absl::Mutex mu_;
  bool blocked_ ABSL_GUARDED_BY(mu_) = false;
  int64_t begun_ ABSL_GUARDED_BY(mu_) = 0;
  int64_t poked_ ABSL_GUARDED_BY(mu_) = 0;
};

struct Poke {
  MonotonicTime sent;
};

class Other : public Actor<Poke> {
 public:
  Other(Tally& tally, std::vector<uint32_t>& waits)
      : tally_(tally), waits_(waits) {}

  void Handle(Poke poke) {
    waits_.push_back(
        WaitOf(RealClock().Now().ToNanoseconds() - poke.sent.ToNanoseconds()));
    tally_.CountPoke();
  }

 private:
  Tally& tally_;
  std::vector<uint32_t>& waits_;  // Nanoseconds.
};

struct SpawnOthers {
  Waits& waits;
  std::vector<Other::Ref>& others;
};
struct Block {};

// Spawns the others, so that they are on its worker.
class Blocker : public Actor<SpawnOthers, Block> {
 public:
  explicit Blocker(Tally& tally) : tally_(tally) {}

  void Handle(SpawnOthers m) {
    for (int i = 0; i < kOthers; ++i) {
      m.others.push_back(Spawn<Other>(tally_, m.waits.list(i)).value());
    }
  }
  void Handle(Block) {
    tally_.BeginBlock();
    // What no handler should do.
    absl::SleepFor(kBlocked);
    tally_.EndBlock();
  }

 private:
  Tally& tally_;
};

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  const int64_t blocks = Scaled(options, kBlocks);
  Waits waits(kOthers, static_cast<size_t>(blocks * 10));
  std::vector<Other::Ref> others;
  Tally tally;
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = options.workers});
  if (!stage.ok()) return stage.status();
  (*stage)->Begin(blocks);
  const Blocker::Ref blocker = (*stage)->here().Spawn<Blocker>(tally).value();
  blocker.Send<SpawnOthers>(waits, others);

  int64_t pokes = 0;
  for (int64_t i = 0; i < blocks; ++i) {
    blocker.Send<Block>();
    tally.AwaitBlocks(i + 1);
    do {
      others[pokes++ % kOthers].Send<Poke>(RealClock().Now());
      absl::SleepFor(kBetweenPokes);
    } while (tally.IsBlocked());
  }
  tally.AwaitPokes(pokes);
  (*stage)->Finish();
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  waits.Sort();
  if (static_cast<int64_t>(waits.count()) != pokes) {
    return absl::InternalError("a poke was not answered once");
  }
  return std::vector<double>{waits.AtPermille(500), waits.AtPermille(990),
                             waits.AtPermille(1000)};
}

constexpr Figure kFigures[] = {
    {.name = "median wait", .unit = "us"},
    {.name = "p99 of the waits", .unit = "us"},
    {.name = "longest wait", .unit = "us", .at_most = 5000},
};

}  // namespace

const Measure kBlockedWorker = {
    .name = "blocked_worker", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
