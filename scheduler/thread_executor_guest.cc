// Guests: threads that drive a worker of a ThreadExecutor instead of waking its
// own thread, which stays parked meanwhile.
#include <memory>
#include <utility>

#include "troupe/base/check.h"
#include "troupe/base/must_have_memory.h"
#include "troupe/scheduler/guest.h"
#include "troupe/scheduler/internal/station.h"
#include "troupe/scheduler/thread_executor.h"

namespace troupe {
namespace {

// Then the worker's own thread goes on: enough for a message that is answered,
// and not so much that input waits for long.
constexpr int kGuestTurns = 64;
constexpr absl::Duration kGuestTime = absl::Microseconds(100);
// After a handler that did not return: what is slow is mostly slow again.
constexpr absl::Duration kNoGuestsAfterLoss = absl::Seconds(1);

}  // namespace

bool Guest::Deliver(absl::FunctionRef<void()> deliver) {
  TROUPE_DCHECK(this_thread.worker == nullptr, "a guest has no worker");
  this_thread.guest = this;
  deliver();
  this_thread.guest = nullptr;
  Worker* const kept = std::exchange(kept_, nullptr);
  return kept == nullptr || executor_->DriveAsGuest(*kept, *this);
}

bool Guest::Keep(ThreadExecutor& executor, Worker& worker) {
  if (kept_ != nullptr || worker.kind() != Worker::Kind::kShared) return false;
  executor_ = &executor;
  kept_ = &worker;
  return true;
}

void Guest::WakeKept() {
  Worker* const kept = std::exchange(kept_, nullptr);
  if (kept != nullptr) executor_->Wake(ThreadExecutor::StationOf(*kept));
}

bool ThreadExecutor::DriveAsGuest(Worker& worker, Guest& guest) {
  Station& station = StationOf(worker);
  const MonotonicTime begun = RealClock().Now();
  Driver* const driver = BeginVisit(station, guest, begun);
  if (driver == nullptr) {
    Wake(station);
    return true;
  }
  worker.NoteTime(&worker_clock_ == &RealClock() ? begun : worker_clock_.Now());
  const bool kept_seat = internal::MustHaveMemory(
      "a turn of a worker", [&] { return Visit(station, begun); });
  if (kept_seat) {
    EndVisit(station);
    return true;
  }
  // It is a thread of the executor now.
  Serve(*driver, internal::MustHaveMemory("a turn of a worker",
                                          [&] { return HandBack(*driver); }));
  return false;
}

ThreadExecutor::Driver* ThreadExecutor::BeginVisit(Station& station,
                                                   Guest& guest,
                                                   MonotonicTime now) {
  absl::MutexLock lock(&mu_);
  if (station.driver == nullptr || now < station.no_guests_until ||
      !station.Lend()) {
    return nullptr;
  }
  ++visits_;
  WakeMonitor();
  Driver& driver = *station.guest;
  driver.guest = &guest;
  driver.station = &station;
  driver.context = &this_thread;
  station.resident = std::exchange(station.driver, &driver);
  (void)this_thread.seat.Enter();
  station.worker->SeatThread();
  // What woke it may have been handled by its own thread, which came by.
  (void)station.worker->Rise();
  return &driver;
}

bool ThreadExecutor::Visit(Station& station, MonotonicTime begun) {
  Worker& worker = *station.worker;
  int turns = 0;
  while (true) {
    if (worker.HasDeliveries()) worker.Poll();
    if (worker.TimersLookDue()) [[unlikely]]
      worker.FireTimers();
    if (worker.ready() > 0) {
      if (turns == kGuestTurns ||
          (turns > 0 && RealClock().Now() - begun > kGuestTime)) {
        return true;
      }
      ++turns;
      if (!worker.Run(*worker.Next())) return false;
      if (station.shares && worker.ready() >= 2) MaybeShare(station);
      continue;
    }
    worker.FlushLocal();
    if (worker.ready() > 0) continue;
    station.due_at_rest = worker.NextTimer();
    if (!worker.Rest()) continue;
    station.backlog.Restart();
    if (worker.FallAsleep()) return true;
  }
}

void ThreadExecutor::EndVisit(Station& station) {
  CheckThreads();  // A handler called fork() and returned in the child.
  absl::MutexLock lock(&mu_);
  station.worker->UnseatThread();
  this_thread.seat.Leave();
  this_thread.worker = nullptr;
  Driver& driver = *station.driver;
  driver.station = nullptr;
  driver.context = nullptr;
  station.driver = std::exchange(station.resident, nullptr);
  station.ComeHome(station.due_at_rest);
}

void ThreadExecutor::KeepGuest(Station& station) {
  Driver& driver = *station.guest;
  driver.thread = std::move(std::exchange(driver.guest, nullptr)->let_go_)();
  ++spare_threads_;
  drivers_.push_back(std::move(station.guest));
  station.guest = std::make_unique<Driver>();
  station.no_guests_until = RealClock().Now() + kNoGuestsAfterLoss;
}

}  // namespace troupe
