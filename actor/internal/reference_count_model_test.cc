// The references to a shared message under every schedule: that the last one
// destroys it, once, and after all that was done with the others.
#include <atomic>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/reference_count.h"
#include "troupe/base/ownership_mutants.h"
#include "troupe/testing/schedule/explore.h"
#include "troupe/testing/schedule/scheduled_atomics.h"

namespace troupe::internal {
namespace {

using ownership_model::ExpectAllHold;
using ownership_model::ExpectEachOrderingIsNeeded;
using ownership_model::ExpectFound;
using ownership_model::Harness;
using ownership_model::kReferencesLabel;
using schedule::Check;
using schedule::Execution;
using schedule::PauseOrEnd;
using schedule::ScheduledAtomics;
using schedule::ScheduledCell;

using Flag = ScheduledAtomics::Atomic<int>;

// What is referred to: a message that holds 1, until it is destroyed.
struct Body {
  explicit Body(Execution& run) { run.Label(references, kReferencesLabel); }

  void ReadAndDrop() {
    Check(content == 1, "it is destroyed before it is read");
    if (references.Drop(1)) content = 0;
  }

  ReferenceCount<ScheduledAtomics> references;
  ScheduledCell<int> content{1};
};

// Three receivers read it, each with a reference.
void AllRead(Execution& run) {
  Body body(run);
  body.references.Add(2);
  for (const char* name : {"first", "second", "third"}) {
    run.Spawn(name, [&] { body.ReadAndDrop(); });
  }
  run.Join();
  Check(body.content == 0, "nobody destroyed it");
}

// One of two makes a reference for a third, before it drops its own.
void OneHandsOn(Execution& run, bool adds_first) {
  Body body(run);
  body.references.Add(1);
  Flag handed_on(0);
  run.Spawn("hands on", [&] {
    if (adds_first) body.references.Add(1);
    handed_on.store(1, std::memory_order_release);
    if (!adds_first) body.references.Add(1);
    body.ReadAndDrop();
  });
  run.Spawn("gets it", [&] {
    while (handed_on.load(std::memory_order_acquire) == 0) {
      if (!PauseOrEnd()) return;
    }
    body.ReadAndDrop();
  });
  run.Spawn("beside them", [&] { body.ReadAndDrop(); });
  run.Join();
  Check(body.content == 0, "nobody destroyed it");
}

Harness HandsOn(bool adds_first) {
  return {"hands on",
          [adds_first](Execution& run) { OneHandsOn(run, adds_first); }};
}

std::vector<Harness> Harnesses() {
  return {{"all read", AllRead}, HandsOn(/*adds_first=*/true)};
}

TEST(ReferenceCountModelTest, HoldsUnderEverySchedule) {
  ExpectAllHold(Harnesses());
}

TEST(ReferenceCountModelTest, NeedsEachOrdering) {
  ExpectEachOrderingIsNeeded(Harnesses(), kReferencesLabel,
                             {
                                 {"DROP acquire", "all read"},
                                 {"DROP release", "all read"},
                                 {"DROP acquire", "hands on"},
                                 {"DROP release", "hands on"},
                             });
}

TEST(ReferenceCountModelTest, NeedsTheReferenceBeforeItIsHandedOn) {
  ExpectFound("a reference is added when it is used already",
              HandsOn(/*adds_first=*/false));
}

}  // namespace
}  // namespace troupe::internal
