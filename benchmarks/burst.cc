// A plain thread sends many messages at once to one slow actor.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actor/actor.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/busy_loop.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/resident_memory.h"

namespace troupe::benchmarks {
namespace {

constexpr int64_t kMessages = 10'000'000;
// Of what was resident before.
constexpr double kAtMost = 1.1;
constexpr double kMegabyte = 1e6;

struct Number {
  int64_t value;
};

class SlowCounter : public Actor<Number> {
 public:
  SlowCounter(Stage& stage, int64_t messages)
      : stage_(stage), messages_(messages), work_(absl::Nanoseconds(200)) {}

  void Handle(Number number) {
    if (!stage_.Check("number", number.value, count_)) return;
    work_.Run();
    if (++count_ == messages_) stage_.Finish();
  }

 private:
  Stage& stage_;
  const int64_t messages_;
  const BusyLoop work_;
  int64_t count_ = 0;
};

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = options.workers});
  if (!stage.ok()) return stage.status();
  const int64_t messages = Scaled(options, kMessages);
  const SlowCounter::Ref counter =
      (*stage)->here().Spawn<SlowCounter>(**stage, messages).value();
  const int64_t before = ExactResidentBytes();
  (*stage)->Begin(messages);
  for (int64_t i = 0; i < messages; ++i) counter.Send<Number>(i);
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  const int64_t after = ResidentBytes();
  const int64_t idle = AwaitResidentBytes(before * kAtMost, kPatience);
  return std::vector<double>{
      static_cast<double>(before) / kMegabyte,
      static_cast<double>(measured->peak_rss_bytes) / kMegabyte,
      static_cast<double>(measured->peak_rss_bytes - before) /
          static_cast<double>(messages),
      static_cast<double>(after) / kMegabyte,
      static_cast<double>(idle) / kMegabyte,
      static_cast<double>(idle) / static_cast<double>(before)};
}

constexpr Figure kFigures[] = {
    {.name = "before", .unit = "MB"},
    {.name = "peak", .unit = "MB"},
    {.name = "peak by message", .unit = "bytes", .at_most = 80},
    {.name = "all handled", .unit = "MB"},
    {.name = "idle", .unit = "MB"},
    {.name = "idle / before", .unit = "ratio", .at_most = kAtMost},
};

}  // namespace

const Measure kBurst = {.name = "burst", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
