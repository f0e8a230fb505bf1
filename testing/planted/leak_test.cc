// Planted: loses the only pointer to an allocation. LeakSanitizer must report
// it; everything else lets it pass.

#include <cstring>

#include "gtest/gtest.h"

namespace {

// Overwrites the stack below the caller's frame, where a copy of the pointer
// may have stayed: the sanitizer takes a stale copy for a reference.
[[gnu::noinline]] void WipeStack() {
  char wiped[4096];
  std::memset(wiped, 0, sizeof(wiped));
  asm volatile("" : : "r"(wiped) : "memory");
}

[[gnu::noinline]] void Lose() {
  int* volatile lost = new int(1);
  EXPECT_EQ(*lost, 1);
  lost = nullptr;
}

TEST(PlantedTest, LosesAnAllocation) {
  Lose();
  WipeStack();
}

}  // namespace
