// The end of a system under every schedule: that it misses no actor, and ends
// nothing that still lives. Docs: docs/design/hot_path.md, section 10.
#include <atomic>
#include <cstdint>

#include "gtest/gtest.h"
#include "troupe/actor/internal/actor_count.h"
#include "troupe/base/ownership.h"
#include "troupe/base/ownership_message.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::internal {
namespace {

using ownership_model::ExpectAllHold;
using ownership_model::ExpectEachOrderingIsNeeded;
using ownership_model::ExpectFound;
using ownership_model::Harness;
using ownership_model::kCountLabel;
using ownership_model::kMailLabel;
using ownership_model::Message;
using schedule::Check;
using schedule::Execution;
using schedule::PauseOrEnd;
using schedule::ScheduledAtomics;
using schedule::ScheduledCell;

using Word = MailWord<Message, ScheduledAtomics>;
using Flag = ScheduledAtomics::Atomic<int>;

// What is counted, and by whom.
struct Counts {
  explicit Counts(Execution& run) {
    run.Label(workers[0], kCountLabel);
    run.Label(workers[1], kCountLabel);
    run.Label(outside, kCountLabel);
  }

  uint64_t Live() const {
    return SumOfActors([this](auto&& visit) {
      visit(outside);
      for (const auto& worker : workers) visit(worker);
    });
  }
  // As Live(), in the other order.
  uint64_t LiveBySpawnsFirst() const {
    uint64_t spawned = outside.spawned();
    for (const auto& worker : workers) spawned += worker.spawned();
    uint64_t ended = outside.ended();
    for (const auto& worker : workers) ended += worker.ended();
    return spawned - ended;
  }

  ActorCount<ScheduledAtomics> workers[2];
  SharedActorCount<ScheduledAtomics> outside;
};

// -- nothing is ended that lives

struct Counting {
  bool spawns_first = false;
  bool counts_late = false;  // The child is counted when it is reached already.
};

// A parent spawns a child, which goes to another worker, and ends. Who waits
// for all to have ended takes what they had.
void ParentAndChildEnd(Execution& run, Counting counting) {
  Counts counts(run);
  counts.workers[0].CountSpawn();
  Flag handed_over(0);
  ScheduledCell<int> of_parent(0), of_child(0);
  run.Spawn("parent's worker", [&] {
    if (!counting.counts_late) counts.workers[0].CountSpawn();
    handed_over.store(1, std::memory_order_release);
    if (counting.counts_late) counts.workers[0].CountSpawn();
    of_parent = 1;
    counts.workers[0].CountEnd();
  });
  run.Spawn("child's worker", [&] {
    while (handed_over.load(std::memory_order_acquire) == 0) {
      if (!PauseOrEnd()) return;
    }
    of_child = 1;
    counts.workers[1].CountEnd();
  });
  run.Spawn("shutdown", [&] {
    while ((counting.spawns_first ? counts.LiveBySpawnsFirst()
                                  : counts.Live()) != 0) {
      if (!PauseOrEnd()) break;
    }
    Check(counts.Live() == 0, "an end is not counted");
    Check(of_parent == 1 && of_child == 1, "somebody lives");
    of_parent = 2;
    of_child = 2;
  });
  run.Join();
}

// Two actors are spawned, and end, on plain threads: their starts fail.
void StartsFailOutside(Execution& run) {
  Counts counts(run);
  ScheduledCell<int> objects[2];
  for (int i = 0; i < 2; ++i) counts.outside.CountSpawn();
  for (int i = 0; i < 2; ++i) {
    run.Spawn("spawner", [&, i] {
      objects[i] = 1;
      counts.outside.CountEnd();
    });
  }
  run.Spawn("shutdown", [&] {
    while (counts.Live() != 0) {
      if (!PauseOrEnd()) break;
    }
    for (ScheduledCell<int>& object : objects) {
      Check(object == 1, "somebody lives");
      object = 2;
    }
  });
  run.Join();
}

// -- nobody is missed

// Stands for the lock of the system.
class Lock {
 public:
  template <typename F>
  void With(F&& f) {
    while (held_.exchange(1, std::memory_order_acquire) != 0) {
      ScheduledAtomics::SpinPause();
    }
    f();
    held_.store(0, std::memory_order_release);
  }

 private:
  Flag held_{0};
};

struct Stopping {
  bool looks_again = true;    // The spawner, whether the system was closed.
  bool closes_first = true;   // The shutdown, before it looks for actors.
  bool admits_locked = true;  // A spawn is counted under the lock.
};

// A top-level actor is spawned while its system is shut down. Either the spawn
// is refused, or somebody stops the actor, and the shutdown waits for its end.
void SpawnAgainstShutdown(Execution& run, Stopping how) {
  Counts counts(run);
  Word word;
  run.Label(word, kMailLabel);
  Lock lock;
  ScheduledCell<int> closed(0);  // Guarded by the lock.
  ScheduledCell<int> object(0);
  Message from_spawner, from_shutdown;
  const auto stop = [&](Message& message) {
    message.content = {.sender = 1, .number = 1, .is_signal = true};
    (void)word.Push(word.Load(), &message, &message, Word::Kind::kClosing);
  };
  run.Spawn("spawner", [&] {
    bool admitted = false;
    lock.With([&] {
      admitted = closed == 0;
      if (admitted && how.admits_locked) counts.outside.CountSpawn();
    });
    if (!admitted) return;
    if (!how.admits_locked) counts.outside.CountSpawn();
    object = 1;
    word.Open(/*token_inside=*/false);
    bool too_late = false;
    lock.With([&] { too_late = closed == 1; });
    if (too_late && how.looks_again) stop(from_spawner);
    // The actor's turns.
    while (word.Take() == nullptr) {
      if (!PauseOrEnd()) return;
    }
    object = 2;
    (void)word.Die();
    counts.workers[0].CountEnd();
  });
  run.Spawn("shutdown", [&] {
    const auto look_for_actors = [&] {
      if (Word::IsAlive(word.Load())) stop(from_shutdown);
    };
    if (!how.closes_first) look_for_actors();
    lock.With([&] { closed = 1; });
    if (how.closes_first) look_for_actors();
    while (counts.Live() != 0) {
      if (!PauseOrEnd()) break;
    }
    Check(counts.Live() == 0, "an actor is left that nobody stops");
    const int was = object;
    Check(was == 0 || was == 2, "somebody lives");
    object = 3;
  });
  run.Join();
  Check(object == 3, "an actor came after the end");
}

Harness Stop(Stopping how) {
  return {"spawn/shutdown",
          [how](Execution& run) { SpawnAgainstShutdown(run, how); },
          {{3, 1}, {2, 2}}};
}
Harness Ends(Counting counting) {
  return {"parent/child/shutdown",
          [counting](Execution& run) { ParentAndChildEnd(run, counting); }};
}

std::vector<Harness> Harnesses() {
  return {Ends({}), {"failed-starts/shutdown", StartsFailOutside}, Stop({})};
}

TEST(ShutdownModelTest, HoldsUnderEverySchedule) { ExpectAllHold(Harnesses()); }

TEST(ShutdownModelTest, NeedsEachOrderingOfTheCounts) {
  ExpectEachOrderingIsNeeded(
      Harnesses(), kCountLabel,
      {
          {"END relaxed", "parent/child/shutdown"},
          {"END OUTSIDE relaxed", "failed-starts/shutdown"},
          {"SEE END relaxed", "parent/child/shutdown"},
          {"SEE END relaxed", "failed-starts/shutdown"},
          {"SEE END relaxed", "spawn/shutdown"},
      });
}

TEST(ShutdownModelTest, NeedsEachStepOfTheProtocol) {
  ExpectFound("spawns are summed up first", Ends({.spawns_first = true}));
  ExpectFound("a child is counted late", Ends({.counts_late = true}));
  ExpectFound("the spawner does not look again", Stop({.looks_again = false}));
  ExpectFound("actors are looked for before the system is closed",
              Stop({.closes_first = false}));
  ExpectFound("a spawn is counted outside of the lock",
              Stop({.admits_locked = false}));
}

}  // namespace
}  // namespace troupe::internal
