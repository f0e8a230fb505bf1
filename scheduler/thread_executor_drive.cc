// What the threads of a ThreadExecutor do: drive a worker, rest, share, and
// hand back a runnable after its handler lost the seat.
#include <algorithm>
#include <utility>

#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/internal/station.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

// How often a worker that rests looks for deliveries before it sleeps: about
// the time that being woken costs (some 50 us).
constexpr int kSearchLooks = 640;
constexpr int kPausesPerLook = 2;

}  // namespace

absl::Status ThreadExecutor::StartDriver(Station& station) {
  auto driver = std::make_unique<Driver>();
  Driver& started = *driver;
  started.station = &station;
  // Before the thread runs, so that memory that cannot be had loses none.
  drivers_.reserve(drivers_.size() + 1);
  absl::StatusOr<std::unique_ptr<JoinableThread>> thread = threads_->Start(
      station.thread_name, [this, &started] { DriverMain(started); });
  if (!thread.ok()) return thread.status();
  started.thread = *std::move(thread);
  station.driver = &started;
  drivers_.push_back(std::move(driver));
  return absl::OkStatus();
}

void ThreadExecutor::DriverMain(Driver& driver) {
  Serve(driver, AwaitStation(driver));
}

void ThreadExecutor::Serve(Driver& driver, Station* station) {
  // What was accepted could not be handled any more.
  internal::MustHaveMemory("a turn of a worker", [&] {
    do {
      while (station != nullptr) {
        if (Drive(*station)) {
          LeaveStation(driver, *station);
          station = nullptr;
        } else {
          station = HandBack(driver);
        }
      }
      station = AwaitStation(driver);
    } while (station != nullptr);
    EndDriver(driver);
  });
}

ThreadExecutor::Station* ThreadExecutor::AwaitStation(Driver& driver) {
  absl::MutexLock lock(&mu_);
  while (driver.station == nullptr && !driver.ends) driver.called.Wait(&mu_);
  if (driver.station == nullptr) return nullptr;
  (void)this_thread.seat.Enter();
  driver.station->worker->SeatThread();
  driver.context = &this_thread;
  return driver.station;
}

void ThreadExecutor::LeaveStation(Driver& driver, Station& station) {
  absl::MutexLock lock(&mu_);
  station.worker->UnseatThread();
  this_thread.seat.Leave();
  this_thread.worker = nullptr;
  station.driver = nullptr;
  station.finished = true;
  driver.station = nullptr;
  driver.context = nullptr;
  driver.ends = true;
}

void ThreadExecutor::EndDriver(Driver& driver) {
  absl::MutexLock lock(&mu_);
  std::erase(spares_, &driver);
  const auto mine = std::find_if(
      drivers_.begin(), drivers_.end(),
      [&driver](const auto& candidate) { return candidate.get() == &driver; });
  ended_.push_back(std::move(*mine));
  drivers_.erase(mine);
  monitor_wake_.Signal();  // To join this thread.
}

bool ThreadExecutor::Drive(Station& station) {
  Worker& worker = *station.worker;
  while (true) {
    if (worker.HasDeliveries()) worker.Poll();
    if (worker.TimersLookDue()) [[unlikely]]
      worker.FireTimers();
    if (Runnable* const runnable = worker.Next()) {
      if (!worker.Run(*runnable)) return false;
      if (station.shares && worker.ready() >= 2) MaybeShare(station);
      continue;
    }
    worker.FlushLocal();
    // What was sent may have brought a runnable here.
    if (worker.ready() > 0) continue;
    // Before it rests: then claimers may cancel timers.
    const MonotonicTime next_timer = worker.NextTimer();
    if (worker.Rest() && !AwaitWork(station, next_timer)) return true;
  }
}

bool ThreadExecutor::AwaitWork(Station& station, MonotonicTime next_timer) {
  Worker& worker = *station.worker;
  station.backlog.Restart();
  // One worker searches at a time: more would only heat the room. Relaxed: the
  // count decides nothing but that.
  if (searchers_.fetch_add(1, std::memory_order_relaxed) == 0) {
    for (int look = 0; look < kSearchLooks && !worker.HasDeliveries(); ++look) {
      for (int i = 0; i < kPausesPerLook; ++i) RealAtomics::SpinPause();
    }
  }
  searchers_.fetch_sub(1, std::memory_order_relaxed);
  return !worker.FallAsleep() || Sleep(station, next_timer);
}

bool ThreadExecutor::Sleep(Station& station, MonotonicTime next_timer) {
  CheckThreads();  // A handler called fork() and returned in the child.
  Worker& worker = *station.worker;
  // A clock that is not real moves by steps: see ClockMoved().
  const bool is_real = &worker_clock_ == &RealClock();
  MonotonicTime now = worker_clock_.Now();
  {
    absl::MutexLock lock(&station.park_mu);
    station.due = next_timer;
    while (station.lent || (worker.LooksAsleep() && now < station.due)) {
      if (station.ends) break;
      if (station.untidy && !station.lent) {
        station.TidyUpABit();
        now = worker_clock_.Now();
        continue;
      }
      station.awaited =
          station.lent ? MonotonicTime::InfiniteFuture() : station.due;
      station.parked = true;
      if (!station.unparked) {
        station.unpark.WaitWithDeadline(
            &station.park_mu,
            is_real ? station.awaited : MonotonicTime::InfiniteFuture());
      }
      station.parked = false;
      station.unparked = false;
      now = worker_clock_.Now();
    }
    station.untidy = false;  // There will be a better time.
    if (std::exchange(station.was_lent, false)) worker.SeatThread();
    if (station.ends) return false;
  }
  worker.NoteTime(now);
  // Something may have been delivered as well: that has woken the worker then.
  if (!worker.Rise()) return true;
  worker.FireTimers();
  if (worker.kind() == Worker::Kind::kShared) {
    absl::MutexLock lock(&mu_);
    WakeMonitor();
  }
  return true;
}

void ThreadExecutor::MaybeShare(Station& station) {
  if (!station.backlog.IsDue()) return;
  Worker& worker = *station.worker;
  if (!station.backlog.Look(RealClock().Now(), worker.turns(),
                            worker.ready())) {
    return;
  }
  for (int i = 1; i < shared_count_; ++i) {
    Worker& other = *shared_[(worker.index() + i) % shared_count_]->worker;
    if (other.LooksQuiet()) {
      worker.ShareWith(other);
      return;
    }
  }
}

ThreadExecutor::Station* ThreadExecutor::HandBack(Driver& driver) {
  Runnable& runnable = *std::exchange(this_thread.running, nullptr);
  Worker& worker = *this_thread.worker;
  Station& station = StationOf(worker);
  if (DriveOn(driver, station)) {
    // First: it waits for a claimer who may still work on the timers.
    worker.Poll();
    worker.TakeBack(runnable);
    return &station;
  }
  this_thread.seat.Leave();
  this_thread.worker = nullptr;
  worker.GiveBack(runnable);
  if (WorkerLocal* const local = worker.local()) local->EmptyCaches();
  BecomeSpare(driver);
  return nullptr;
}

bool ThreadExecutor::DriveOn(Driver& driver, Station& station) {
  absl::MutexLock lock(&mu_);
  if (station.driver != nullptr) return false;
  station.driver = &driver;
  driver.station = &station;
  driver.context = &this_thread;
  driver.lost_station = nullptr;
  station.worker->SeatThread();
  // It may have fallen asleep without a thread.
  (void)station.worker->Rise();
  return true;
}

void ThreadExecutor::BecomeSpare(Driver& driver) {
  absl::MutexLock lock(&mu_);
  driver.lost_station = nullptr;
  // Threads that are rarely needed are not kept.
  if (static_cast<int>(spares_.size()) > shared_count_) {
    driver.ends = true;
    --spare_threads_;
    return;
  }
  spares_.push_back(&driver);
  for (const std::unique_ptr<Station>& station : shared_) {
    if (station->driver == nullptr && !station->worker->LooksAsleep()) {
      Staff(*station);  // Threads had run out.
      return;
    }
  }
}

void ThreadExecutor::GiveUpSeat() {
  if (!this_thread.InTurn() || !IsMine(*this_thread.worker)) return;
  TROUPE_DCHECK(!this_thread.seat.IsInside(), "user code is outside its seat");
  Station& station = StationOf(*this_thread.worker);
  absl::MutexLock lock(&mu_);
  Driver* const driver = station.driver;
  if (driver == nullptr || driver->context != &this_thread ||
      station.changes_hands ||
      station.worker->kind() != Worker::Kind::kShared) {
    return;  // Lost already, or nothing that others wait for.
  }
  station.turn_reported = true;  // It is no surprise.
  Detach(station, *driver);
}

}  // namespace troupe
