#include "troupe/benchmarks/stage.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/benchmarks/allocation_count.h"
#include "troupe/benchmarks/resident_memory.h"

namespace troupe::benchmarks {

absl::StatusOr<std::unique_ptr<Stage>> Stage::Create(const Options& options) {
  std::unique_ptr<Stage> stage(new Stage(options));
  const int sides = options.forced ? 2 : 1;
  for (int i = 0; i < sides; ++i) {
    absl::Status status = stage->AddSide(options.forced ? 1 : options.workers);
    if (!status.ok()) return status;
  }
  return stage;
}

absl::Status Stage::AddSide(int workers) {
  absl::StatusOr<std::unique_ptr<ThreadExecutor>> executor =
      ThreadExecutor::Create({.workers = workers,
                              .take_over_after = options_.take_over_after,
                              .long_turn_after = absl::InfiniteDuration()});
  if (!executor.ok()) return executor.status();
  ThreadExecutor* const address = executor->get();
  sides_.push_back(
      {address, ActorSystem::CreateOn(
                    *std::move(executor),
                    {.high_water_messages = options_.high_water_messages})});
  return absl::OkStatus();
}

int64_t Stage::Scaled(int64_t operations) const {
  return std::max<int64_t>(
      1,
      static_cast<int64_t>(static_cast<double>(operations) * options_.scale));
}

int64_t Stage::Begin(int64_t operations) {
  {
    absl::MutexLock lock(&mu_);
    measured_.operations = operations;
  }
  // Memory that earlier runs of the process left warm is not growth of this
  // one, but an actor that lies in it has not become smaller by that.
  static const int64_t resident_at_first = ResidentBytes();
  resident_before_ = resident_at_first;
  ResetPeakResidentBytes();
  wakes_before_ = Wakes();
  allocations_before_ = AllocationCount();
  begun_ = RealClock().Now();
  return operations;
}

uint64_t Stage::Wakes() const {
  uint64_t wakes = 0;
  for (const Side& side : sides_) wakes += side.executor->wakes();
  return wakes;
}

void Stage::FinishWrong(absl::string_view what, int64_t actual,
                        int64_t expected) {
  FinishWith(absl::InternalError(
      absl::StrCat(what, ": ", actual, " instead of ", expected)));
}

void Stage::FinishWith(absl::Status verdict) {
  const absl::Duration elapsed = RealClock().Now() - begun_;
  const uint64_t allocations = AllocationCount() - allocations_before_;
  const uint64_t wakes = Wakes() - wakes_before_;
  const int64_t growth = ResidentBytes() - resident_before_;
  absl::MutexLock lock(&mu_);
  // The first error counts, also if it comes when all seemed done.
  verdict_.Update(std::move(verdict));
  if (finished_) return;
  finished_ = true;
  measured_.elapsed = elapsed;
  measured_.allocations = allocations;
  measured_.wakes = wakes;
  measured_.rss_growth_bytes = growth;
  measured_.peak_rss_bytes = PeakResidentBytes();
}

absl::StatusOr<Measured> Stage::Await(absl::Duration timeout) {
  {
    absl::MutexLock lock(&mu_);
    if (!mu_.AwaitWithTimeout(absl::Condition(&finished_), timeout)) {
      return absl::DeadlineExceededError(
          absl::StrCat("not finished after ", absl::FormatDuration(timeout)));
    }
    if (!verdict_.ok()) return verdict_;
  }
  int64_t dead_letters = 0;
  for (Side& side : sides_) {
    absl::Status status = side.system->Shutdown();
    if (!status.ok()) return status;
    dead_letters += static_cast<int64_t>(side.system->dead_letters());
  }
  if (dead_letters > 0) {
    return absl::InternalError(absl::StrCat(dead_letters, " messages lost"));
  }
  absl::MutexLock lock(&mu_);
  if (!verdict_.ok()) return verdict_;
  return measured_;
}

}  // namespace troupe::benchmarks
