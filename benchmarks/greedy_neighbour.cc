// How long modest actors wait for their turns beside one that takes all it can
// get.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/base/clock.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/waits.h"

namespace troupe::benchmarks {
namespace {

constexpr int kModest = 1'000;
constexpr int64_t kSteps = 2'000;  // Of each.

struct Item {};
struct Last {
  int64_t items;
};

// Gets what the greedy actor sends.
class Sink : public Actor<Item, Last> {
 public:
  explicit Sink(Stage& stage) : stage_(stage) {}

  void Handle(Item) { ++items_; }
  void Handle(Last last) {
    if (stage_.Check("items", items_, last.items)) stage_.Finish();
  }

 private:
  Stage& stage_;
  int64_t items_ = 0;
};

struct Grab {};
struct Cease {};

class Greedy : public Actor<Grab, Cease> {
 public:
  Greedy(Stage& stage, Sink::Ref sink) : stage_(stage), sink_(sink) {}

  void Handle(Grab) {
    if (ceases_) {
      // Else nobody had a greedy neighbour.
      if (stage_.Check("the greedy actor had turns", items_ > 0, true)) {
        sink_.Send<Last>(items_);
      }
      return;
    }
    for (int i = 0; i < kSendsPerTurn; ++i) sink_.Send<Item>();
    items_ += kSendsPerTurn;
    self().Send<Grab>();
  }
  void Handle(Cease) { ceases_ = true; }

 private:
  Stage& stage_;
  const Sink::Ref sink_;
  int64_t items_ = 0;
  bool ceases_ = false;
};

struct Done {};

// Ends the run when all modest actors are done.
class Referee : public Actor<Done> {
 public:
  Referee(Stage& stage, ActorRef<Cease> greedy)
      : stage_(stage), greedy_(greedy) {}

  void Handle(Done) {
    if (--missing_ > 0) return;
    if (greedy_ == ActorRef<Cease>()) {
      stage_.Finish();
    } else {
      greedy_.Send<Cease>();
    }
  }

 private:
  Stage& stage_;
  const ActorRef<Cease> greedy_;  // May be none.
  int missing_ = kModest;
};

struct Step {
  MonotonicTime sent;
  int64_t left;
};

// Takes one step in each turn, and goes on by a message to itself.
class Modest : public Actor<Step> {
 public:
  Modest(std::vector<uint32_t>& waits, Referee::Ref referee)
      : waits_(waits), referee_(referee) {}

  void Handle(Step step) {
    const MonotonicTime now = RealClock().Now();
    waits_.push_back(WaitOf(now.ToNanoseconds() - step.sent.ToNanoseconds()));
    if (step.left > 0) {
      self().Send<Step>(now, step.left - 1);
    } else {
      referee_.Send<Done>();
    }
  }

 private:
  std::vector<uint32_t>& waits_;  // Nanoseconds.
  const Referee::Ref referee_;
};

absl::StatusOr<Waits> WaitsOfModest(const MeasureOptions& options,
                                    bool with_greedy) {
  const int64_t steps = Scaled(options, kSteps);
  Waits waits(kModest, steps);
  absl::StatusOr<std::unique_ptr<Stage>> created =
      Stage::Create({.workers = options.workers});
  if (!created.ok()) return created.status();
  Stage& stage = **created;
  stage.Begin(kModest * steps);
  Greedy::Ref greedy;
  if (with_greedy) {
    const Sink::Ref sink = stage.here().Spawn<Sink>(stage).value();
    greedy = stage.here().Spawn<Greedy>(stage, sink).value();
    greedy.Send<Grab>();
  }
  const Referee::Ref referee =
      stage.here().Spawn<Referee>(stage, greedy).value();
  std::vector<Modest::Ref> modest;
  for (int i = 0; i < kModest; ++i) {
    modest.push_back(
        stage.here().Spawn<Modest>(waits.list(i), referee).value());
  }
  for (const Modest::Ref& actor : modest) {
    actor.Send<Step>(RealClock().Now(), steps - 1);
  }
  const absl::StatusOr<Measured> measured = stage.Await(options.timeout);
  if (!measured.ok()) return measured.status();
  waits.Sort();
  if (static_cast<int64_t>(waits.count()) != kModest * steps) {
    return absl::InternalError("a modest actor missed steps");
  }
  return waits;
}

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  const absl::StatusOr<Waits> without = WaitsOfModest(options, false);
  if (!without.ok()) return without.status();
  const absl::StatusOr<Waits> with = WaitsOfModest(options, true);
  if (!with.ok()) return with.status();
  return std::vector<double>{without->AtPermille(500),
                             without->AtPermille(990),
                             without->AtPermille(999),
                             with->AtPermille(500),
                             with->AtPermille(990),
                             with->AtPermille(999),
                             with->AtPermille(990) / without->AtPermille(990)};
}

constexpr Figure kFigures[] = {
    {.name = "p50 without it", .unit = "us"},
    {.name = "p99 without it", .unit = "us"},
    {.name = "p99.9 without it", .unit = "us"},
    {.name = "p50 beside it", .unit = "us"},
    {.name = "p99 beside it", .unit = "us"},
    {.name = "p99.9 beside it", .unit = "us"},
    {.name = "p99 beside it / without", .unit = "ratio", .at_most = 2},
};

}  // namespace

const Measure kGreedyNeighbour = {
    .name = "greedy_neighbour", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
