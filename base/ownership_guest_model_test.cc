// Guests under every schedule: threads that drive a sleeping worker, whose own
// one stays parked. WorkerWord beside what scheduler/internal/station.h keeps
// under a lock, which is repeated here step by step.
// Docs: docs/design/hot_path.md, sections 5 and 10.
#include <atomic>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::ownership_model {
namespace {

using schedule::Check;
using schedule::Execution;
using schedule::PauseOrEnd;
using schedule::ScheduledAtomics;
using schedule::ScheduledCell;

// A step that is left out.
enum class Flaw : uint8_t {
  kNone,
  kLendTwice,     // A worker that is lent is lent once more.
  kLendBusy,      // ... or one whose own thread drives it.
  kNoRise,        // A guest takes what woke the worker to be there still.
  kNoSecondLook,  // Who delivers when a guest has just left wakes nobody.
};

struct alignas(16) Object {
  ScheduledCell<Object*> next{nullptr};
  ScheduledCell<int> work{0};
};

// A lock, as the model knows none.
class Lock {
 public:
  explicit Lock(ScheduledAtomics::Atomic<int>& word) : word_(word) {
    int open = 0;
    while (!word_.compare_exchange_strong(open, 1, std::memory_order_acquire,
                                          std::memory_order_relaxed)) {
      open = 0;
      ScheduledAtomics::SpinPause();
    }
  }
  ~Lock() { word_.store(0, std::memory_order_release); }

 private:
  ScheduledAtomics::Atomic<int>& word_;
};

// A worker with a thread of its own.
class Station {
 public:
  Station(Execution& run, Flaw flaw) : flaw_(flaw) {
    run.Label(word_, kInboxLabel);
  }

  int handled() const { return handled_; }

  // What its own thread does, until nothing can come any more.
  void Serve() {
    do {
      Drive();
    } while (Sleep());
  }

  // A timer is due, and wakes the thread by itself.
  void BeDue() {
    const Lock lock(lock_);
    due_ = true;
  }

  void Deliver(Object& object) {
    if (Push(object)) Unpark();
  }
  // The same by a guest, who drives the worker if it slept and if it may.
  void DeliverAsGuest(Object& object) {
    if (!Push(object)) return;
    if (!Lend()) {
      Unpark();
      return;
    }
    if (flaw_ != Flaw::kNoRise) (void)word_.Rise();
    Drive();
    ComeHome();
  }

 private:
  bool Push(Object& object) {
    object.work = 1;
    return word_.Push(&object, &object);
  }

  // Until it has nothing to do, and has fallen asleep.
  void Drive() {
    do {
      for (Object* at = word_.Take(); at != nullptr; at = at->next) {
        Check(at->work == 1, "it did not come as it was left");
        at->work = 2;
        handled_ = handled_ + 1;
      }
    } while (!word_.Rest() || !word_.FallAsleep());
  }

  bool Sleep() {
    while (true) {
      {
        const Lock lock(lock_);
        if (!lent_ && (due_ || !word_.LooksAsleep())) {
          parked_ = false;
          due_ = false;
          break;
        }
        unparked_ = false;
        parked_ = true;
      }
      while (!IsCalled()) {
        if (!PauseOrEnd()) return false;
      }
    }
    (void)word_.Rise();
    return true;
  }
  bool IsCalled() {
    const Lock lock(lock_);
    return unparked_ || (due_ && !lent_);
  }

  void Unpark() {
    const Lock lock(lock_);
    unparked_ = true;
  }
  bool Lend() {
    const Lock lock(lock_);
    if (!parked_ && flaw_ != Flaw::kLendBusy) return false;
    if (lent_ && flaw_ != Flaw::kLendTwice) return false;
    lent_ = true;
    return true;
  }
  void ComeHome() {
    const Lock lock(lock_);
    lent_ = false;
    if (!word_.LooksAsleep() && flaw_ != Flaw::kNoSecondLook) unparked_ = true;
  }

  const Flaw flaw_;
  WorkerWord<Object, ScheduledAtomics> word_;
  // Whoever drives.
  ScheduledCell<int> handled_{0};
  // Under the lock.
  ScheduledAtomics::Atomic<int> lock_{0};
  ScheduledCell<bool> parked_{false};
  ScheduledCell<bool> lent_{false};
  ScheduledCell<bool> unparked_{false};
  ScheduledCell<bool> due_{false};
};

// Two guests deliver to a worker that falls asleep.
void GuestAgainstGuest(Execution& run, Flaw flaw) {
  Station station(run, flaw);
  Object objects[2];
  run.Spawn("worker", [&] { station.Serve(); });
  for (Object& object : objects) {
    run.Spawn("guest", [&] { station.DeliverAsGuest(object); });
  }
  run.Join();
  Check(station.handled() == 2, "lost or doubled");
}

// A guest, and somebody who only delivers.
void GuestAgainstDelivery(Execution& run, Flaw flaw) {
  Station station(run, flaw);
  Object objects[2];
  run.Spawn("worker", [&] { station.Serve(); });
  run.Spawn("guest", [&] { station.DeliverAsGuest(objects[0]); });
  run.Spawn("sender", [&] { station.Deliver(objects[1]); });
  run.Join();
  Check(station.handled() == 2, "lost or doubled");
}

// A guest, while the worker's thread wakes by itself.
void GuestAgainstTimer(Execution& run, Flaw flaw) {
  Station station(run, flaw);
  Object object;
  run.Spawn("worker", [&] { station.Serve(); });
  run.Spawn("guest", [&] { station.DeliverAsGuest(object); });
  run.Spawn("timer", [&] { station.BeDue(); });
  run.Join();
  Check(station.handled() == 1, "lost or doubled");
}

std::vector<Harness> Harnesses(Flaw flaw = Flaw::kNone) {
  const auto with = [flaw](void (*body)(Execution&, Flaw)) {
    return [body, flaw](Execution& run) { body(run, flaw); };
  };
  return {
      {"guest/guest", with(GuestAgainstGuest), {{2, 1}, {3, 0}}},
      {"guest/deliver", with(GuestAgainstDelivery), {{2, 1}, {3, 0}}},
      {"guest/timer", with(GuestAgainstTimer), {{2, 1}, {3, 0}}},
  };
}

TEST(GuestModelTest, HoldsUnderEverySchedule) { ExpectAllHold(Harnesses()); }

TEST(GuestModelTest, NeedsEachStepOfItsProtocol) {
  const auto expect_found = [](const char* mutant, Flaw flaw, int harness) {
    ExpectFound(mutant, Harnesses(flaw)[harness]);
  };
  expect_found("lent twice", Flaw::kLendTwice, 0);
  expect_found("lent while it is driven", Flaw::kLendBusy, 2);
  expect_found("no rise", Flaw::kNoRise, 2);
  expect_found("no second look", Flaw::kNoSecondLook, 1);
}

}  // namespace
}  // namespace troupe::ownership_model
