// WorkerWord under every schedule, with workers of a few lines; for the whole
// protocol see ownership_moves_model_test.cc.
// Docs: docs/design/hot_path.md, section 10.
#include <atomic>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/ownership.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/options.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::ownership_model {
namespace {

using schedule::Check;
using schedule::Execution;
using schedule::Operation;
using schedule::PauseOrEnd;
using schedule::ScheduledAtomics;
using schedule::ScheduledCell;

template <typename T>
using Atomic = ScheduledAtomics::Atomic<T>;

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;
constexpr std::memory_order kAcquire = std::memory_order_acquire;
constexpr std::memory_order kRelease = std::memory_order_release;

// An object with the tag of its owner. `work` is what was done to it; only the
// owner, or who has it on its way to one, touches it.
struct alignas(16) Object {
  ScheduledCell<Object*> next{nullptr};
  Atomic<int> owner{0};
  ScheduledCell<int> work{0};
};

// A word, and the place where its worker sleeps.
struct Inbox {
  using Word = WorkerWord<Object, ScheduledAtomics>;

  explicit Inbox(Execution& run) { run.Label(word, kInboxLabel); }

  void Deliver(Object& newest, Object& oldest) {
    if (word.Push(&newest, &oldest)) unparked.store(1, kRelease);
  }
  void Deliver(Object& object) { Deliver(object, object); }

  // False: nobody will wake it any more.
  bool Park() {
    while (unparked.exchange(0, kAcquire) == 0) {
      if (!PauseOrEnd()) return false;
    }
    return true;
  }

  // Rests and sleeps until something comes. False: nothing will.
  bool AwaitWork() { return !word.Rest() || !word.FallAsleep() || Park(); }

  // Receives, oldest first.
  std::vector<Object*> Receive() {
    std::vector<Object*> objects;
    for (Object* at = word.Take(); at != nullptr; at = at->next) {
      objects.insert(objects.begin(), at);
    }
    return objects;
  }

  Word word;
  Atomic<int> unparked{0};
  // How many of the worker's objects have a timer in its wheel. The worker's
  // while it is busy, else a claimer's.
  ScheduledCell<int> timers{0};
};

// The worker sleeps whenever it has nothing. What is delivered comes as it was
// left, in its order, and wakes it.
void DeliverAgainstSleep(Execution& run) {
  Inbox inbox(run);
  Object objects[3];
  std::vector<Object*> received;
  run.Spawn("one by one", [&] {
    for (Object* object : {&objects[0], &objects[1]}) {
      object->work = 1;
      inbox.Deliver(*object);
    }
  });
  run.Spawn("one", [&] {
    objects[2].work = 1;
    inbox.Deliver(objects[2]);
  });
  run.Spawn("worker", [&] {
    do {
      for (Object* object : inbox.Receive()) {
        Check(object->work == 1, "it did not come as it was left");
        object->work = 2;
        received.push_back(object);
      }
    } while (inbox.AwaitWork());
  });
  run.Join();
  Check(received.size() == 3, "lost or doubled");
  int at_first = 0;
  for (const Object* object : received) {
    if (object == &objects[0]) at_first = 1;
    if (object == &objects[1]) Check(at_first == 1, "out of order");
    Check(object->work == 2, "doubled");
  }
}

// The same, the objects come in chains.
void DeliverChains(Execution& run) {
  Inbox inbox(run);
  Object objects[4];
  std::vector<Object*> received;
  for (int i = 0; i < 2; ++i) {
    run.Spawn("sender", [&, i] {
      Object& oldest = objects[2 * i];
      Object& newest = objects[2 * i + 1];
      newest.next = &oldest;
      inbox.Deliver(newest, oldest);
    });
  }
  run.Spawn("worker", [&] {
    do {
      for (Object* object : inbox.Receive()) received.push_back(object);
    } while (inbox.AwaitWork());
  });
  run.Join();
  Check(received.size() == 4, "lost or doubled");
  for (int i : {0, 2}) {
    Check(received[i + 1] == received[i] + 1, "a chain came apart");
  }
}

// What the worker does with an object that it believes to be its own: as a
// local send, it asks nothing but the tag.
void WorkOn(Object& object, int worker) {
  if (object.owner.load(kRelaxed) != worker) return;
  object.work = object.work + 1;
}

// Takes the object out of a quiet worker, and its timer out of the wheel.
bool Claim(Inbox& inbox, Object& object, int claimer) {
  if (!inbox.word.TryLock()) return false;
  object.work = object.work + 1;
  object.owner.store(claimer, kRelaxed);
  inbox.timers = inbox.timers - 1;
  inbox.word.Unlock();
  return true;
}

// A quiet worker, two who would like to claim one of its objects each, and a
// timer of each object.
void ClaimAgainstRise(Execution& run) {
  Inbox inbox(run);
  Object objects[2];
  for (Object& object : objects) object.owner.store(1, kRelaxed);
  run.Spawn("worker", [&] {
    for (Object& object : objects) WorkOn(object, 1);
    inbox.timers = 2;
    Check(inbox.word.Rest() && inbox.word.Rise(), "nothing was delivered");
    int owned = 0;
    for (Object& object : objects) {
      WorkOn(object, 1);
      if (object.owner.load(kRelaxed) == 1) ++owned;
    }
    Check(inbox.timers == owned, "a timer is not where its object is");
  });
  for (int i = 0; i < 2; ++i) {
    run.Spawn("claimer", [&, i] {
      if (Claim(inbox, objects[i], 2)) WorkOn(objects[i], 2);
    });
  }
  run.Join();
  for (const Object& object : objects) {
    Check(object.work == (object.owner.load(kRelaxed) == 1 ? 2 : 3),
          "the object is not where its tag says");
  }
}

// The same, and somebody delivers to the worker, which may sleep by then.
void ClaimAgainstDelivery(Execution& run) {
  Inbox inbox(run);
  Object object;
  Object delivered;
  object.owner.store(1, kRelaxed);
  int received = 0;
  run.Spawn("worker", [&] {
    WorkOn(object, 1);
    inbox.timers = 1;
    while (inbox.AwaitWork()) {
      for (Object* at : inbox.Receive()) {
        Check(at->work == 1, "it did not come as it was left");
        ++received;
      }
      WorkOn(object, 1);
      Check(inbox.timers == (object.owner.load(kRelaxed) == 1 ? 1 : 0),
            "a timer is not where its object is");
    }
  });
  run.Spawn("claimer", [&] {
    if (Claim(inbox, object, 2)) WorkOn(object, 2);
  });
  run.Spawn("sender", [&] {
    delivered.work = 1;
    inbox.Deliver(delivered);
  });
  run.Join();
  Check(received == 1, "what was delivered is lost");
}

// A worker sleeps without a thread, and its timer is due; or the handler that
// had lost it returns. The thread that drives it now finds it asleep, or
// delivered to beside a claimer.
void ClaimAgainstNewThread(Execution& run, bool receives_first) {
  Inbox inbox(run);
  Object object;
  Object delivered;
  object.owner.store(1, kRelaxed);
  inbox.timers = 1;
  Check(inbox.word.Rest() && inbox.word.FallAsleep(), "it has a thread");
  run.Spawn("worker", [&] {
    inbox.word.Rise();
    if (receives_first) inbox.Receive();
    Check(inbox.timers == (object.owner.load(kRelaxed) == 1 ? 1 : 0),
          "a timer is not where its object is");
  });
  run.Spawn("claimer", [&] {
    if (Claim(inbox, object, 2)) WorkOn(object, 2);
  });
  run.Spawn("sender", [&] { inbox.Deliver(delivered); });
  run.Join();
}

// Something to do passes through three workers, two of which sleep, and stays
// with the last one, whose thread takes its time. All the while somebody looks
// whether all sleep (ThreadExecutor::AllSleep()).
void LookWhetherAllSleep(Execution& run) {
  Inbox first(run);
  Inbox second(run);
  Inbox third(run);
  Atomic<int> naps[3];
  Object object;
  const auto fall_asleep = [](Inbox& inbox, Atomic<int>& count) {
    if (!inbox.word.Rest()) return false;
    count.store(count.load(kRelaxed) + 1, kRelease);
    return inbox.word.FallAsleep();
  };
  run.Label(naps, "naps");
  Check(fall_asleep(second, naps[1]) && fall_asleep(third, naps[2]), "asleep");
  run.Spawn("first", [&] {
    second.Deliver(object);
    Check(fall_asleep(first, naps[0]), "nothing was delivered to it");
  });
  run.Spawn("second", [&] {
    if (!second.Park()) Check(false, "it was not woken");
    Check(second.Receive().size() == 1, "it was woken for nothing");
    third.Deliver(object);
    Check(fall_asleep(second, naps[1]), "nothing more was delivered to it");
  });
  run.Spawn("observer", [&] {
    const auto count_naps = [&naps] {
      int count = 0;
      for (const Atomic<int>& one : naps) count += one.load(kAcquire);
      return count;
    };
    const auto look = [&] {
      return third.word.LooksAsleep() && second.word.LooksAsleep() &&
             first.word.LooksAsleep();
    };
    const int before = count_naps();
    Check(!look() || !look() || count_naps() != before,
          "there was work, but all looked asleep");
  });
  run.Join();
}

// What may be counted wrongly of naps.
enum class Miscount : uint8_t { kNone, kRise, kNoNap, kWake };

// While one that has ended its nap is late to say so, the worker rises for
// something else, receives, and sleeps again. Somebody frees it, when all who
// have ended a nap of it are done (ThreadExecutor::AllSleep()).
void FreeBesideALateWake(Execution& run, Miscount miscount) {
  Inbox inbox(run);
  Object object;
  Atomic<int> naps{0};
  Atomic<int> ended_here{0};
  Atomic<int> wakes{0};  // Under a lock, there.
  Atomic<int> received{0};
  ScheduledCell<int> freed{0};
  run.Label(wakes, "wakes");
  const auto end_here = [&](Miscount how) {
    if (miscount == how) return;
    ended_here.store(ended_here.load(kRelaxed) + 1, kRelaxed);
  };
  const auto fall_asleep = [&] {
    naps.store(naps.load(kRelaxed) + 1, kRelease);
    if (inbox.word.FallAsleep()) return true;
    end_here(Miscount::kNoNap);
    return false;
  };
  const auto is_settled = [&] {
    return miscount == Miscount::kWake ||
           naps.load(kAcquire) - ended_here.load(kRelaxed) - 1 ==
               wakes.load(kAcquire);
  };
  Check(inbox.word.Rest() && fall_asleep(), "nothing was delivered to it");
  run.Spawn("sender", [&] {
    if (!inbox.word.Push(&object, &object)) return;
    Check(freed == 0, "it is woken when it is gone");
    wakes.fetch_add(1, kRelease);
  });
  run.Spawn("worker", [&] {
    do {
      if (inbox.word.Rise()) end_here(Miscount::kRise);
      if (!inbox.Receive().empty()) received.store(1, kRelease);
    } while (!inbox.word.Rest() || !fall_asleep() ||
             (received.load(kRelaxed) == 0 && PauseOrEnd()));
  });
  run.Spawn("executor", [&] {
    while (received.load(kAcquire) == 0) {
      if (!PauseOrEnd()) return;
    }
    const int before = naps.load(kAcquire);
    if (inbox.word.LooksAsleep() && is_settled() && inbox.word.LooksAsleep() &&
        naps.load(kAcquire) == before) {
      freed = 1;
    }
  });
  run.Join();
  Check(is_settled(), "nobody may ever free it");
}

std::vector<Harness> Harnesses() {
  return {
      {"deliver/sleep", DeliverAgainstSleep, {{3, 1}}},
      {"deliver-chains", DeliverChains},
      {"claim/rise", ClaimAgainstRise},
      {"claim/deliver", ClaimAgainstDelivery},
      {"claim/new-thread",
       [](Execution& run) { ClaimAgainstNewThread(run, true); }},
      {"all-sleep", LookWhetherAllSleep, {{3, 3}}},
      {"late-wake",
       [](Execution& run) { FreeBesideALateWake(run, Miscount::kNone); }},
  };
}

TEST(WorkerModelTest, HoldsUnderEverySchedule) { ExpectAllHold(Harnesses()); }

TEST(WorkerModelTest, NeedsEachOfItsOrderings) {
  ExpectEachOrderingIsNeeded(Harnesses(), kInboxLabel,
                             {
                                 {"DELIVER relaxed", "deliver/sleep"},
                                 {"RECEIVE relaxed", "deliver/sleep"},
                                 {"LOCK relaxed", "claim/rise"},
                                 {"LOCK relaxed", "claim/deliver"},
                                 {"UNLOCK relaxed", "claim/rise"},
                                 {"UNLOCK relaxed", "claim/deliver"},
                                 {"REST relaxed", "claim/rise"},
                                 {"REST relaxed", "claim/deliver"},
                                 {"RISE relaxed", "claim/rise"},
                                 {"FALL ASLEEP relaxed", "all-sleep"},
                                 {"FIND ASLEEP relaxed", "all-sleep"},
                             });
}

TEST(WorkerModelTest, NeedsEachStepOfItsProtocol) {
  using Kind = Operation::Kind;
  const auto in_inbox = [](Mutation mutation) {
    return [mutation](Operation& operation) {
      if (operation.label == kInboxLabel) mutation(operation);
    };
  };
  const auto is_delivery = [](const Operation& operation) {
    return operation.kind == Kind::kCompareExchangeWeak &&
           operation.order == kRelease &&
           (operation.operand & Inbox::Word::kChain) != 0;
  };
  ExpectFound("REST by a store", {"deliver/sleep", DeliverAgainstSleep},
              in_inbox([](Operation& operation) {
                if (operation.kind == Kind::kCompareExchangeStrong) {
                  operation.kind = Kind::kStore;
                }
              }));
  ExpectFound("FALL ASLEEP by a store", {"deliver/sleep", DeliverAgainstSleep},
              in_inbox([is_delivery](Operation& operation) {
                if (operation.kind == Kind::kCompareExchangeWeak &&
                    operation.order == kRelease && !is_delivery(operation)) {
                  operation.kind = Kind::kStore;
                }
              }));
  ExpectFound("DELIVER by a store", {"deliver-chains", DeliverChains},
              in_inbox([is_delivery](Operation& operation) {
                if (is_delivery(operation)) operation.kind = Kind::kStore;
              }));
  ExpectFound("a delivery opens the lock",
              {"claim/deliver", ClaimAgainstDelivery},
              in_inbox([is_delivery](Operation& operation) {
                if (is_delivery(operation)) {
                  operation.operand &= ~uint64_t{Inbox::Word::kLocked};
                }
              }));
  ExpectFound("naps are counted without release",
              {"all-sleep", LookWhetherAllSleep}, [](Operation& operation) {
                if (operation.label == "naps") operation.order = kRelaxed;
              });
  const auto late_wake = [](Miscount miscount) -> Harness {
    return {"late-wake",
            [miscount](Execution& run) { FreeBesideALateWake(run, miscount); }};
  };
  ExpectFound("a nap that it ended itself counts as a delivery's",
              late_wake(Miscount::kRise));
  ExpectFound("so does one that was none", late_wake(Miscount::kNoNap));
  ExpectFound("who is late is not waited for", late_wake(Miscount::kWake));
  ExpectFound("wakes are counted without release", late_wake(Miscount::kNone),
              [](Operation& operation) {
                if (operation.label == "wakes") operation.order = kRelaxed;
              });
  // The load still sees what the worker did before it rested.
  const auto without_lock = in_inbox([](Operation& operation) {
    if (operation.kind == Kind::kCompareExchangeStrong &&
        operation.order == kAcquire) {
      operation.kind = Kind::kLoad;
    }
  });
  ExpectFound("claim without the lock", {"claim/rise", ClaimAgainstRise},
              without_lock);
  ExpectFound("claim without the lock", {"claim/deliver", ClaimAgainstDelivery},
              without_lock);
  // It sees the word without the bit, and replaces the word with it.
  const auto worker_ignores_lock = in_inbox([](Operation& operation) {
    if (operation.thread != "worker") return;
    const uint64_t lock = operation.current & Inbox::Word::kLocked;
    if (operation.kind == Kind::kLoad) {
      operation.skip = lock != 0;
      operation.current &= ~uint64_t{Inbox::Word::kLocked};
    } else if (operation.kind == Kind::kCompareExchangeWeak) {
      operation.expected |= lock;
    }
  });
  ExpectFound("timers before RECEIVE", {"claim/new-thread", [](Execution& run) {
                                          ClaimAgainstNewThread(run, false);
                                        }});
  ExpectFound("RISE beside a claimer", {"claim/rise", ClaimAgainstRise},
              worker_ignores_lock);
  ExpectFound("RECEIVE beside a claimer",
              {"claim/deliver", ClaimAgainstDelivery}, worker_ignores_lock);
}

}  // namespace
}  // namespace troupe::ownership_model
