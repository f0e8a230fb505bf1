// The corpus of the fuzz test finds bugs that are planted in a heap of
// deadlines.
#include <cstdint>

#include "gtest/gtest.h"
#include "troupe/base/clock.h"
#include "troupe/supervision/internal/deadline_heap.h"
#include "troupe/supervision/internal/deadline_heap_world.h"
#include "troupe/tools/fuzz/input.h"
#include "troupe/tools/fuzz/planted.h"

namespace troupe::internal {
namespace {

template <typename Heap>
int InputsThatFind() {
  return testing::CountFailingInputs(
      "supervision/corpus/deadline_heap", [](FuzzInput& input) {
        DeadlineHeapWorld<FuzzInput, Heap> world(input);
        while (!input.empty()) world.Step();
      });
}

TEST(DeadlineHeapPlantedTest, TrueHeapAgreesWithTheModel) {
  EXPECT_EQ(InputsThatFind<DeadlineHeap>(), 0);
}

// Of two entries with one deadline, the higher comes first.
struct TurnsTies : DeadlineHeap {
  uint32_t Pop() {
    const MonotonicTime deadline = next();
    const uint32_t first = DeadlineHeap::Pop();
    if (next() != deadline) return first;
    const uint32_t second = DeadlineHeap::Pop();
    Set(first, deadline);
    return second;
  }
};

TEST(DeadlineHeapPlantedTest, WrongOrderOfEqualDeadlinesIsFound) {
  EXPECT_GT(InputsThatFind<TurnsTies>(), 0);
}

// A deadline that is there is only made earlier.
struct NeverPutsOff : DeadlineHeap {
  void Set(uint32_t entry, MonotonicTime deadline) {
    if (IsSet(entry) && !empty() && deadline > next()) return;
    DeadlineHeap::Set(entry, deadline);
  }
};

TEST(DeadlineHeapPlantedTest, DeadlineThatIsNotPutOffIsFound) {
  EXPECT_GT(InputsThatFind<NeverPutsOff>(), 0);
}

}  // namespace
}  // namespace troupe::internal
