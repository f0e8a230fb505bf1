#include "troupe/benchmarks/allocation_count.h"

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <thread>

#include "gtest/gtest.h"

namespace troupe::benchmarks {
namespace {

// The allocations of `allocate`, which returns memory for free().
uint64_t AllocationsOf(void* (*allocate)()) {
  const uint64_t before = AllocationCount();
  void* const memory = allocate();
  const uint64_t counted = AllocationCount() - before;
  // Somebody may look at it, so that the compiler keeps the call.
  asm volatile("" : : "g"(memory) : "memory");
  std::free(memory);
  return counted;
}

TEST(AllocationCountTest, EachWayToAllocateCountsOnce) {
  EXPECT_EQ(AllocationsOf([] { return std::malloc(100); }), 1);
  EXPECT_EQ(AllocationsOf([] { return std::calloc(10, 10); }), 1);
  EXPECT_EQ(AllocationsOf([] { return std::realloc(nullptr, 100); }), 1);
  EXPECT_EQ(AllocationsOf([] { return std::aligned_alloc(64, 128); }), 1);
  EXPECT_EQ(AllocationsOf([] { return memalign(64, 128); }), 1);
  EXPECT_EQ(AllocationsOf([] {
              void* memory = nullptr;
              return posix_memalign(&memory, 64, 128) == 0 ? memory : nullptr;
            }),
            1);
}

TEST(AllocationCountTest, OperatorNewCounts) {
  const uint64_t before = AllocationCount();
  auto* const plain = new char[100];
  const uint64_t after_plain = AllocationCount();
  void* const aligned = ::operator new (128, std::align_val_t{64});
  const uint64_t after_aligned = AllocationCount();
  asm volatile("" : : "g"(plain), "g"(aligned) : "memory");
  ::operator delete (aligned, std::align_val_t{64});
  delete[] plain;

  EXPECT_EQ(after_plain - before, 1);
  EXPECT_EQ(after_aligned - after_plain, 1);
}

TEST(AllocationCountTest, AlignedMemoryIsAligned) {
  void* const memory = std::aligned_alloc(4096, 4096);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 4096, 0);
  std::free(memory);
}

TEST(AllocationCountTest, FreeingDoesNotCount) {
  void* const memory = std::malloc(100);
  const uint64_t before = AllocationCount();
  std::free(memory);
  EXPECT_EQ(AllocationCount(), before);
}

TEST(AllocationCountTest, AllocationsOfOtherThreadsCount) {
  constexpr int kAllocations = 1000;
  const uint64_t before = AllocationCount();
  std::thread other([] {
    for (int i = 0; i < kAllocations; ++i) {
      AllocationsOf([] { return std::malloc(100); });
    }
  });
  other.join();
  EXPECT_GE(AllocationCount() - before, kAllocations);
}

}  // namespace
}  // namespace troupe::benchmarks
