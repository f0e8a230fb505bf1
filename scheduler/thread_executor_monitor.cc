// The monitor of a ThreadExecutor: rings alarms, gives the workers of handlers
// that do not return to other threads, and reports long turns. It looks once a
// millisecond while some worker is awake, and sleeps when all have slept for
// kTicksBeforeSleep looks.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/scheduler/internal/station.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(1);
constexpr int kTicksBeforeSleep = 50;

}  // namespace

void ThreadExecutor::MonitorMain() {
  {
    absl::MutexLock lock(&mu_);
    monitor_context_ = &this_thread;
  }
  while (true) {
    {
      absl::MutexLock lock(&mu_);
      RingAlarms();
      if (monitor_ends_) return;
      ticks_asleep_ = LookAtWorkers() ? 0 : ticks_asleep_ + 1;
      ReportLongTurns();
      absl::Duration wait = kTick;
      if (ticks_asleep_ >= kTicksBeforeSleep) {
        const std::optional<uint64_t> next = alarms_.NextExpiry();
        wait = next.has_value() ? (start_ + *next * kTick) - clock().Now()
                                : absl::InfiniteDuration();
      }
      monitor_sleeps_ = wait > kTick;
      if (ended_.empty() && wait > absl::ZeroDuration()) {
        monitor_wake_.WaitWithTimeout(&mu_, wait);
      }
      if (std::exchange(monitor_sleeps_, false)) ticks_asleep_ = 0;
    }
    JoinEndedThreads();
  }
}

void ThreadExecutor::RingAlarms() {
  alarms_.Advance(TickNow(),
                  [this](TimerNode& node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                    due_.push_back(static_cast<Alarm*>(&node));
                  });
  while (!due_.empty()) {
    Alarm& alarm = *due_.front();
    due_.pop_front();
    ringing_ = &alarm;
    mu_.Unlock();
    alarm.Ring();
    mu_.Lock();
    ringing_ = nullptr;
  }
}

bool ThreadExecutor::LookAtWorkers() {
  bool awake = false;
  for (const std::unique_ptr<Station>& station : shared_) {
    if (station->worker->LooksAsleep()) continue;
    awake = true;
    const uint64_t turns = station->worker->turns();
    const uint64_t seen = std::exchange(station->seen_turns, turns);
    if (turns != seen || !can_take_over_) continue;
    TryDetach(*station);
  }
  for (const std::unique_ptr<Driver>& driver : drivers_) {
    if (driver->lost_station != nullptr) awake = true;
  }
  return awake;
}

bool ThreadExecutor::TryDetach(Station& station) {
  Driver* const driver = station.driver;
  if (driver == nullptr) {
    Staff(station);  // Threads had run out.
    return false;
  }
  if (driver->context == nullptr ||
      (spares_.empty() && spare_threads_ >= options_.max_spare_threads) ||
      !driver->context->seat.Revoke()) {
    return false;
  }
  Detach(station, *driver, *driver->context->running);
  return true;
}

void ThreadExecutor::Detach(Station& station, Driver& driver,
                            Runnable& runnable) {
  Worker& worker = *station.worker;
  worker.UnseatThread();
  worker.FlushLocal();
  driver.station = nullptr;
  driver.context = nullptr;
  driver.lost_station = &station;
  driver.lost_runnable = &runnable;
  driver.lost_name = runnable.type->name(runnable);
  driver.lost_since = clock().Now();
  driver.long_turn_reported = false;
  station.driver = nullptr;
  ++take_overs_;
  // With nothing to run, the worker sleeps without a thread: whoever delivers
  // to it finds it one, and whoever claims from it needs none.
  if (worker.ready() > 0 || !worker.Rest() || !worker.FallAsleep()) {
    Staff(station);
  }
}

void ThreadExecutor::Staff(Station& station) {
  if (!spares_.empty()) {
    Driver& spare = *spares_.back();
    spares_.pop_back();
    spare.station = &station;
    station.driver = &spare;
    return;
  }
  if (spare_threads_ >= options_.max_spare_threads) return;
  if (absl::Status status = StartDriver(station); !status.ok()) {
    options_.logger.Log(
        LogSeverity::kWarning,
        absl::StrCat("no thread for a worker whose handler blocks: ",
                     status.ToString()));
    return;
  }
  ++spare_threads_;
}

void ThreadExecutor::ReportLongTurns() {
  for (const std::unique_ptr<Driver>& driver : drivers_) {
    if (driver->lost_station == nullptr || driver->long_turn_reported) continue;
    const absl::Duration so_far = clock().Now() - driver->lost_since;
    if (so_far < options_.long_turn_after) continue;
    driver->long_turn_reported = true;
    const LongTurn turn{driver->lost_name, so_far};
    mu_.Unlock();
    if (options_.on_long_turn != nullptr) {
      options_.on_long_turn(turn);
    } else {
      options_.logger.Log(
          LogSeverity::kWarning,
          absl::StrCat("a turn of ", turn.name, " has taken longer than ",
                       absl::FormatDuration(turn.so_far)));
    }
    mu_.Lock();
    return;  // The drivers may have changed; the next look is a tick away.
  }
}

void ThreadExecutor::JoinEndedThreads() {
  std::vector<std::unique_ptr<Driver>> ended;
  std::vector<std::unique_ptr<Station>> finished;
  {
    absl::MutexLock lock(&mu_);
    ended.swap(ended_);
    const auto first =
        std::partition(dedicated_.begin(), dedicated_.end(),
                       [](const auto& station) { return !station->finished; });
    std::move(first, dedicated_.end(), std::back_inserter(finished));
    dedicated_.erase(first, dedicated_.end());
  }
  for (const std::unique_ptr<Driver>& driver : ended) driver->thread->Join();
}

}  // namespace troupe
