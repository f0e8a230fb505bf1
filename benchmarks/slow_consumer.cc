// A consumer that is slower than its producer, on another worker: with a
// bounded mailbox, and without.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/actor/events.h"
#include "troupe/benchmarks/busy_loop.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/resident_memory.h"

namespace troupe::benchmarks {
namespace {

constexpr int64_t kMessages = 1'000'000;
constexpr uint64_t kCapacity = 1'000;
constexpr int64_t kHighWater = 65'536;
constexpr double kMegabyte = 1e6;

// Written by one side each, read by both for a rough idea only: relaxed.
struct Progress {
  std::atomic<int64_t> sent{0};
  std::atomic<int64_t> refused{0};
};

struct Item {
  int64_t number;
};

class Consumer : public Actor<Item> {
 public:
  Consumer(Stage& stage, const Progress& progress, int64_t items,
           int64_t& most_waiting)
      : stage_(stage),
        progress_(progress),
        items_(items),
        most_waiting_(most_waiting),
        work_(absl::Nanoseconds(500)) {}

  void Handle(Item item) {
    if (!stage_.Check("number of an item", item.number, handled_)) return;
    ++handled_;
    most_waiting_ =
        std::max(most_waiting_,
                 progress_.sent.load(std::memory_order_relaxed) - handled_);
    work_.Run();
    if (handled_ == items_) stage_.Finish();
  }

 private:
  Stage& stage_;
  const Progress& progress_;
  const int64_t items_;
  int64_t& most_waiting_;
  const BusyLoop work_;
  int64_t handled_ = 0;
};

struct Produce {};

// What a full mailbox refuses is tried again after others had their turns.
class Producer : public Actor<Produce> {
 public:
  Producer(Consumer::Ref consumer, Progress& progress, int64_t items)
      : consumer_(consumer), progress_(progress), items_(items) {}

  void Handle(Produce) {
    for (int i = 0; i < kSendsPerTurn && sent_ < items_; ++i) {
      if (consumer_.TrySend(Item{sent_}) != SendResult::kSent) {
        progress_.refused.fetch_add(1, std::memory_order_relaxed);
        break;
      }
      progress_.sent.store(++sent_, std::memory_order_relaxed);
    }
    if (sent_ < items_) self().Send<Produce>();
  }

 private:
  const Consumer::Ref consumer_;
  Progress& progress_;
  const int64_t items_;
  int64_t sent_ = 0;
};

struct Flow {
  double peak_growth_megabytes;
  int64_t most_waiting;
  int64_t refused;
  int64_t high_waters;
};

absl::StatusOr<Flow> Run(const MeasureOptions& options,
                         const SpawnOptions& consumer_options) {
  const int64_t items = Scaled(options, kMessages);
  const int64_t high_water = std::min(kHighWater, items / 10);
  Progress progress;
  int64_t most_waiting = 0;
  std::atomic<int64_t> high_waters{0};
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = 2,
                     .forced = true,
                     .high_water_messages = static_cast<uint32_t>(high_water)});
  if (!stage.ok()) return stage.status();
  const Subscription subscription =
      (*stage)->there().Subscribe<HighWater>([&](const HighWater&) {
        high_waters.fetch_add(1, std::memory_order_relaxed);
      });
  const Consumer::Ref consumer =
      (*stage)
          ->there()
          .Spawn<Consumer>(consumer_options, **stage, progress, items,
                           most_waiting)
          .value();
  const Producer::Ref producer =
      (*stage)->here().Spawn<Producer>(consumer, progress, items).value();
  const int64_t before = ResidentBytes();
  (*stage)->Begin(items);
  producer.Send<Produce>();
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  const Flow flow = {
      static_cast<double>(measured->peak_rss_bytes - before) / kMegabyte,
      most_waiting, progress.refused.load(std::memory_order_relaxed),
      high_waters.load(std::memory_order_relaxed)};
  // A turn looks at its end, and may handle some hundred messages before.
  if (flow.high_waters > 1 ||
      (flow.high_waters == 0 && most_waiting > 3 * high_water + 1024 &&
       consumer_options.mailbox == Capacity())) {
    return absl::InternalError("a flood is to be told once");
  }
  return flow;
}

absl::StatusOr<std::vector<double>> RunBoth(const MeasureOptions& options) {
  const absl::StatusOr<Flow> bounded = Run(
      options,
      {.mailbox = {.messages = kCapacity, .policy = OverflowPolicy::kReject}});
  if (!bounded.ok()) return bounded.status();
  // One that the consumer has taken, and not yet counted as handled.
  if (bounded->most_waiting > static_cast<int64_t>(kCapacity) + 1) {
    return absl::InternalError("more waited than the mailbox may hold");
  }
  const absl::StatusOr<Flow> unbounded = Run(options, {});
  if (!unbounded.ok()) return unbounded.status();
  if (unbounded->refused > 0) {
    return absl::InternalError("a mailbox without bounds refused");
  }
  return std::vector<double>{
      static_cast<double>(bounded->most_waiting),
      static_cast<double>(bounded->refused),
      bounded->peak_growth_megabytes,
      static_cast<double>(unbounded->most_waiting),
      unbounded->peak_growth_megabytes,
      static_cast<double>(unbounded->high_waters),
  };
}

constexpr Figure kFigures[] = {
    {.name = "bounded: most waiting", .unit = ""},
    {.name = "bounded: refused sends", .unit = "", .at_least = 1},
    {.name = "bounded: peak growth", .unit = "MB", .at_most = 2},
    {.name = "unbounded: most waiting", .unit = ""},
    {.name = "unbounded: peak growth", .unit = "MB"},
    {.name = "unbounded: high-water events", .unit = "", .at_least = 1},
};

}  // namespace

const Measure kSlowConsumer = {.name = "slow_consumer",
                               .figures = kFigures,
                               .run = RunBoth,
                               .least_workers = 2};

}  // namespace troupe::benchmarks
