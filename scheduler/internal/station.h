// The parts of a ThreadExecutor; see there.
#ifndef TROUPE_SCHEDULER_INTERNAL_STATION_H_
#define TROUPE_SCHEDULER_INTERNAL_STATION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "troupe/base/clock.h"
#include "troupe/base/cond_var.h"
#include "troupe/scheduler/guest.h"
#include "troupe/scheduler/internal/backlog_watch.h"
#include "troupe/scheduler/thread_executor.h"
#include "troupe/scheduler/thread_factory.h"
#include "troupe/scheduler/worker.h"

namespace troupe {

struct ThreadExecutor::Station {
  Station();
  ~Station();

  // Set once.
  std::unique_ptr<Worker> worker;
  std::string thread_name;
  bool shares = false;  // There are others that it may give work to.

  // Where its thread sleeps. `unparked` may be left over from a wake that found
  // the thread awake.
  absl::Mutex park_mu;
  bool unparked ABSL_GUARDED_BY(park_mu) = false;
  CondVar unpark;
  bool ends ABSL_GUARDED_BY(park_mu) = false;
  bool parked ABSL_GUARDED_BY(park_mu) = false;
  bool lent ABSL_GUARDED_BY(park_mu) = false;      // A guest drives the worker.
  bool was_lent ABSL_GUARDED_BY(park_mu) = false;  // Since its thread drove it.
  // When its thread rises by itself, and what it waits for at this moment:
  // longer, while the worker is lent.
  MonotonicTime due ABSL_GUARDED_BY(park_mu);
  MonotonicTime awaited ABSL_GUARDED_BY(park_mu);
  bool untidy ABSL_GUARDED_BY(park_mu) = false;  // To be tidied up.
  uint64_t wakes ABSL_GUARDED_BY(park_mu) = 0;   // Calls of Unpark() so far.

  // Whoever drives: whether work should be shared, and, of a guest, the next
  // timer when the worker rested.
  internal::BacklogWatch backlog;
  MonotonicTime due_at_rest;

  // Guarded by the executor's lock.
  Driver* driver = nullptr;    // Null: nobody drives.
  bool changes_hands = false;  // Its driver is losing its seat right now.
  bool finished = false;       // Dedicated: its thread is gone.
  uint64_t seen_turns = 0;     // By the monitor, at its last look.
  MonotonicTime turn_seen_at;  // When it first saw that count.
  bool turn_reported = false;  // As a long one.
  MonotonicTime next_timer;    // While its worker sleeps without a driver.
  // Whose place a guest has taken: then `driver` is `guest`.
  Driver* resident = nullptr;
  std::unique_ptr<Driver> guest;
  MonotonicTime no_guests_until = MonotonicTime::InfinitePast();
  // Looks at which the monitor found it in the same nap, up to as many as make
  // it tidy up.
  int looks_at_nap = 0;
  uint64_t seen_naps = 0;

  void SetUnparked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(park_mu) {
    unparked = true;
    unpark.Signal();
  }
  // By who has nothing delivered.
  void Unpark() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    SetUnparked();
  }
  // By who has ended the worker's nap, and touches nothing here after it.
  void Wake() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    ++wakes;
    SetUnparked();
  }
  // The same where it has no thread.
  void CountWake() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    ++wakes;
  }
  // Whether all that have ended a nap of the worker are done with it. Only then
  // may it go. Under the executor's lock, which they hold to the end, or have
  // left before. REQUIRES: as for Worker::NapsEndedByDeliveries().
  bool IsSettled() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    return wakes == worker->NapsEndedByDeliveries();
  }
  void End() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    ends = true;
    SetUnparked();
  }
  // Lets a guest drive, who has ended the worker's nap, while its thread stays
  // where it is. False: that thread is about to drive by itself, or has
  // something else to do.
  [[nodiscard]] bool Lend() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    if (!parked || lent || unparked || ends || untidy) return false;
    lent = was_lent = true;
    ++wakes;
    return true;
  }
  // The guest has left the worker busy, or asleep until `next_timer`.
  void ComeHome(MonotonicTime next_timer) ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    lent = false;
    due = next_timer;
    // Whoever has woken it since has woken nobody.
    if (!worker->LooksAsleep() || due < awaited) SetUnparked();
  }
  // Its thread tidies up before it sleeps on.
  void AskToTidyUp() ABSL_LOCKS_EXCLUDED(park_mu) {
    absl::MutexLock lock(&park_mu);
    untidy = true;
    SetUnparked();
  }
  // One step of that, by the thread.
  void TidyUpABit() ABSL_EXCLUSIVE_LOCKS_REQUIRED(park_mu) {
    WorkerLocal* const local = worker->local();
    park_mu.Unlock();
    const bool more = local != nullptr && local->TidyUp();
    park_mu.Lock();
    untidy = more;
  }
};

struct ThreadExecutor::Driver {
  std::unique_ptr<JoinableThread> thread;

  // Guarded by the executor's lock.
  CondVar called;                    // `station` or `ends` has been set.
  Station* station = nullptr;        // What it drives.
  ThreadContext* context = nullptr;  // Null: not seated yet.
  bool ends = false;
  Guest* guest = nullptr;  // Of a thread that visits.

  // The turn in which it lost its seat, until it has handed the runnable back.
  Station* lost_station = nullptr;
  std::string lost_name;
  MonotonicTime lost_since;
  bool long_turn_reported = false;
};

inline ThreadExecutor::Station::Station() : guest(std::make_unique<Driver>()) {}
inline ThreadExecutor::Station::~Station() = default;

}  // namespace troupe

#endif  // TROUPE_SCHEDULER_INTERNAL_STATION_H_
