// The monitor of a ThreadExecutor: tells the workers the time, rings alarms,
// gives the workers of handlers that do not return to other threads, and
// reports long turns.
//
// It looks once a millisecond while some worker is awake, and while a dedicated
// one that has ended may be touched still. A worker that sleeps for
// kLooksBeforeTidyUp looks is told to tidy up, once in each nap. When all have
// been told, the monitor sleeps, kTicksBeforeSleep looks later.
#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/base/contain.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/internal/station.h"
#include "troupe/scheduler/internal/ticks.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

constexpr absl::Duration kTick = internal::Ticks::kLength;
constexpr int kLooksBeforeTidyUp = 40;
constexpr int kTicksBeforeSleep = 10;

}  // namespace

void ThreadExecutor::MonitorMain() {
  {
    absl::MutexLock lock(&mu_);
    monitor_context_ = &this_thread;
  }
  while (true) {
    JoinEndedThreads();
    absl::MutexLock lock(&mu_);
    ++monitor_looks_;
    coarse_time_.Set(worker_clock_.Now());
    RingAlarms();
    if (monitor_ends_) {
      monitor_context_ = nullptr;  // Its memory may be another thread's next.
      return;
    }
    ticks_asleep_ =
        LookAtWorkers() ? 0 : std::min(ticks_asleep_ + 1, kTicksBeforeSleep);
    ReportLostTurn();
    if (!ended_.empty()) continue;
    if (ticks_asleep_ < kTicksBeforeSleep) {
      monitor_wake_.WaitWithTimeout(&mu_, kTick);
      continue;
    }
    monitor_sleeps_until_ =
        ticks_.TimeOf(alarms_.NextExpiry().value_or(internal::Ticks::kNever));
    monitor_wake_.WaitWithTimeout(&mu_,
                                  monitor_sleeps_until_ - RealClock().Now());
    monitor_sleeps_until_ = MonotonicTime::InfinitePast();
  }
}

template <typename F>
void ThreadExecutor::WithoutLock(const char* what_for, F&& function) {
  mu_.Unlock();
  internal::MustHaveMemory(what_for, std::forward<F>(function));
  mu_.Lock();
}

void ThreadExecutor::RingAlarms() {
  if (monitor_ends_) return;
  alarms_.Advance(ticks_.At(RealClock().Now()),
                  [this](TimerNode& node) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_) {
                    due_.push_back(static_cast<Alarm*>(&node));
                  });
  while (!due_.empty()) {
    Alarm& alarm = *due_.front();
    due_.pop_front();
    ringing_ = &alarm;
    WithoutLock("an alarm", [&] { alarm.Ring(); });
    ringing_ = nullptr;
  }
}

bool ThreadExecutor::LookAtWorkers() {
  bool awake = false;
  const MonotonicTime now = worker_clock_.Now();
  for (const std::unique_ptr<Station>& station : shared_) {
    if (station->driver == nullptr) WakeForTimer(*station, now);
    if (station->worker->LooksAsleep()) {
      awake |= !LookAtNap(*station);
      continue;
    }
    awake = true;
    if (station->changes_hands) continue;
    if (station->driver == nullptr) {
      Staff(*station);  // Threads had run out.
    } else if (can_revoke_) {
      LookAtTurn(*station);
    }
  }
  for (const std::unique_ptr<Driver>& driver : drivers_) {
    if (driver->lost_station != nullptr) awake = true;
  }
  for (const std::unique_ptr<Station>& station : dedicated_) {
    if (station->finished) awake = true;  // To be freed when it is settled.
  }
  return awake;
}

void ThreadExecutor::WakeForTimer(Station& station, MonotonicTime now) {
  // While it has no thread, the handler that lost it has not returned: so the
  // monitor looks every tick.
  if (now < station.next_timer || !station.worker->LooksAsleep()) return;
  (void)station.worker->Rise();
}

bool ThreadExecutor::LookAtNap(Station& station) {
  const uint64_t naps = station.worker->naps();
  if (station.seen_naps != naps) {
    station.seen_naps = naps;
    station.looks_at_nap = 0;
  }
  if (station.looks_at_nap == kLooksBeforeTidyUp) return true;
  if (++station.looks_at_nap < kLooksBeforeTidyUp) return false;
  station.AskToTidyUp();
  return true;
}

void ThreadExecutor::LookAtTurn(Station& station) {
  const MonotonicTime now = RealClock().Now();
  Worker& worker = *station.worker;
  Driver& driver = *station.driver;
  if (const uint64_t turns = worker.turns(); turns != station.seen_turns) {
    station.seen_turns = turns;
    station.turn_seen_at = now;
    station.turn_reported = false;
    return;
  }
  const absl::Duration so_far = now - station.turn_seen_at;
  // Half a tick less: the looks are not that regular.
  const bool take_over = so_far >= options_.take_over_after - kTick / 2 &&
                         (station.resident != nullptr || HasSpare());
  const bool report =
      so_far >= options_.long_turn_after && !station.turn_reported;
  // A thread that is inside its seat has no handler that blocks; asking first
  // spares the barrier.
  if ((!take_over && !report) || driver.context == nullptr ||
      driver.context->seat.IsInside() || !driver.context->seat.Revoke()) {
    return;
  }
  // Outside: in a turn. It may be another one than before the barrier.
  if (worker.turns() != station.seen_turns) {
    worker.RestoreSeat();
    return;
  }
  const Runnable& runnable = *driver.context->running;
  const LongTurn turn{runnable.type->name(runnable), so_far};
  station.turn_reported |= report;
  if (take_over) {
    Detach(station, driver);
  } else {
    worker.RestoreSeat();
  }
  if (report) Report(turn);
}

void ThreadExecutor::Detach(Station& station, Driver& driver) {
  Worker& worker = *station.worker;
  const Runnable& runnable = *driver.context->running;
  driver.lost_station = &station;
  driver.lost_name = runnable.type->name(runnable);
  driver.lost_since = station.turn_seen_at;
  driver.long_turn_reported = station.turn_reported;
  // What the worker holds back goes out before the lost thread can send again
  // (it waits in AwaitSettledSeat()).
  station.changes_hands = true;
  Seat<>& seat = worker.TakeSeat();
  WithoutLock("what a worker held back", [&] { worker.FlushLocal(); });
  seat.Settle(OwnerTag::kNoSeat);
  station.changes_hands = false;
  driver.station = nullptr;
  driver.context = nullptr;
  station.driver = std::exchange(station.resident, nullptr);
  ++take_overs_;
  if (station.driver != nullptr) KeepGuest(station);
  // With nothing to run, the worker sleeps without a thread: whoever delivers
  // to it finds it one, and whoever claims from it needs none.
  station.next_timer = worker.NextTimer();
  const bool asleep =
      worker.ready() == 0 && worker.Rest() && worker.FallAsleep();
  if (station.driver != nullptr) {
    station.ComeHome(station.next_timer);
  } else if (!asleep) {
    Staff(station);
  }
}

bool ThreadExecutor::HasSpare() const {
  return !spares_.empty() || spare_threads_ < options_.max_spare_threads;
}

void ThreadExecutor::Staff(Station& station) {
  if (!spares_.empty()) {
    Driver& spare = *spares_.back();
    spares_.pop_back();
    spare.station = &station;
    station.driver = &spare;
    spare.called.Signal();
    return;
  }
  if (!HasSpare()) return;
  absl::Status status;
  const absl::Status memory = internal::Contain([&] {
    mu_.AssertHeld();
    status = StartDriver(station);
  });
  status.Update(memory);
  if (status.ok()) {
    ++spare_threads_;
    staffing_failed_ = false;
  } else if (!std::exchange(staffing_failed_, true)) {
    (void)internal::Contain([&] {
      options_.logger.Log(
          LogSeverity::kWarning,
          absl::StrCat("no thread for a worker whose handler blocks: ",
                       status.ToString()));
    });
  }
}

void ThreadExecutor::ReportLostTurn() {
  for (const std::unique_ptr<Driver>& driver : drivers_) {
    if (driver->lost_station == nullptr || driver->long_turn_reported) continue;
    const absl::Duration so_far = RealClock().Now() - driver->lost_since;
    if (so_far < options_.long_turn_after) continue;
    driver->long_turn_reported = true;
    Report({driver->lost_name, so_far});
    return;  // The drivers may have changed; the next look is a tick away.
  }
}

void ThreadExecutor::Report(const LongTurn& turn) {
  WithoutLock("the report of a long turn", [&] {
    if (options_.on_long_turn != nullptr) {
      options_.on_long_turn(turn);
    } else {
      options_.logger.Log(
          LogSeverity::kWarning,
          absl::StrCat("a turn of ", turn.name, " has taken longer than ",
                       absl::FormatDuration(turn.so_far)));
    }
  });
}

void ThreadExecutor::JoinEndedThreads() {
  std::vector<std::unique_ptr<Driver>> ended;
  std::vector<std::unique_ptr<Station>> finished;
  {
    absl::MutexLock lock(&mu_);
    ended.swap(ended_);
    const auto first = std::partition(
        dedicated_.begin(), dedicated_.end(), [](const auto& station) {
          return !station->finished || !station->IsSettled();
        });
    std::move(first, dedicated_.end(), std::back_inserter(finished));
    dedicated_.erase(first, dedicated_.end());
  }
  for (const std::unique_ptr<Driver>& driver : ended) driver->thread->Join();
}

}  // namespace troupe
