// What a million actors leave behind when they have stopped.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/time.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/crowd.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/resident_memory.h"

namespace troupe::benchmarks {
namespace {

constexpr int64_t kActors = 1'000'000;
constexpr int64_t kFirst = 1000;
// Of what was resident before.
constexpr double kAtMost = 1.1;
constexpr double kMegabyte = 1e6;

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = options.workers});
  if (!stage.ok()) return stage.status();
  const int64_t actors = (*stage)->Begin(Scaled(options, kActors));
  // A small crowd, so that what is made once has been made.
  absl::Notification first;
  (*stage)
      ->here()
      .Spawn<Crowd>(
          kFirst,
          [](const Crowd::Ref& crowd) { crowd.Send<Crowd::Disperse>(); },
          [&first](const Crowd::Ref&) { first.Notify(); })
      .value()
      .Send<Crowd::Gather>();
  first.WaitForNotification();
  const int64_t before = AwaitResidentBytes(0, absl::ZeroDuration());

  int64_t at_once = 0;
  (*stage)
      ->here()
      .Spawn<Crowd>(
          actors,
          [&at_once](const Crowd::Ref& crowd) {
            at_once = ResidentBytes();
            crowd.Send<Crowd::Disperse>();
          },
          [&stage](const Crowd::Ref&) { (*stage)->Finish(); })
      .value()
      .Send<Crowd::Gather>();
  const absl::StatusOr<Measured> measured = (*stage)->Await(options.timeout);
  if (!measured.ok()) return measured.status();
  const int64_t after = ResidentBytes();
  const int64_t idle = AwaitResidentBytes(before * kAtMost, kPatience);
  return std::vector<double>{
      static_cast<double>(before) / kMegabyte,
      static_cast<double>(at_once) / kMegabyte,
      static_cast<double>(after) / kMegabyte,
      static_cast<double>(idle) / kMegabyte,
      static_cast<double>(idle) / static_cast<double>(before)};
}

constexpr Figure kFigures[] = {
    {.name = "before", .unit = "MB"},
    {.name = "all alive", .unit = "MB"},
    {.name = "all stopped", .unit = "MB"},
    {.name = "idle", .unit = "MB"},
    {.name = "idle / before", .unit = "ratio", .at_most = kAtMost},
};

}  // namespace

const Measure kMemoryAfterActors = {
    .name = "memory_after_actors", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
