// What a million actors leave behind when they have stopped.
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "troupe/actor/actor_system.h"
#include "troupe/benchmarks/crowd.h"
#include "troupe/benchmarks/measure.h"
#include "troupe/benchmarks/resident_memory.h"
#include "troupe/mailbox/envelope_pool.h"

namespace troupe::benchmarks {
namespace {

constexpr int64_t kActors = 1'000'000;
constexpr double kMegabyte = 1e6;

absl::StatusOr<std::vector<double>> Run(const MeasureOptions& options) {
  absl::StatusOr<std::unique_ptr<Stage>> stage =
      Stage::Create({.workers = options.workers});
  if (!stage.ok()) return stage.status();
  const int64_t actors = (*stage)->Begin(Scaled(options, kActors));
  // A crowd of one, so that what is made once has been made.
  absl::Notification first;
  (*stage)
      ->here()
      .Spawn<Crowd>(
          1, [](const Crowd::Ref& crowd) { crowd.Send<Crowd::Disperse>(); },
          [&first](const Crowd::Ref&) { first.Notify(); })
      .value()
      .Send<Crowd::Gather>();
  first.WaitForNotification();
  const int64_t before = ResidentBytes();

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
  EnvelopePool::ReleaseUnused();
  const int64_t released = ResidentBytes();
  return std::vector<double>{
      static_cast<double>(before) / kMegabyte,
      static_cast<double>(at_once) / kMegabyte,
      static_cast<double>(after) / kMegabyte,
      static_cast<double>(released) / kMegabyte,
      static_cast<double>(released) / static_cast<double>(before)};
}

constexpr Figure kFigures[] = {
    {.name = "before", .unit = "MB"},
    {.name = "all alive", .unit = "MB"},
    {.name = "all stopped", .unit = "MB"},
    {.name = "unused memory released", .unit = "MB"},
    {.name = "released / before", .unit = "ratio", .at_most = 1.1},
};

}  // namespace

const Measure kMemoryAfterActors = {
    .name = "memory_after_actors", .figures = kFigures, .run = Run};

}  // namespace troupe::benchmarks
