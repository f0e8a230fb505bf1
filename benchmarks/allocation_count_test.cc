#include "troupe/benchmarks/allocation_count.h"

#include <malloc.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <thread>

#include "gtest/gtest.h"
#include "troupe/benchmarks/sanitized.h"

namespace troupe::benchmarks {
namespace {

#ifdef TROUPE_THREAD_SANITIZED
constexpr uint64_t kAligned = 0;
#else
constexpr uint64_t kAligned = 1;
#endif

// Somebody may look at the memory from now on: so the compiler must have
// allocated it before.
void Publish(void* memory) { asm volatile("" : : "g"(memory) : "memory"); }

// The allocations of `allocate`, which returns memory for free().
uint64_t AllocationsOf(void* (*allocate)()) {
  const uint64_t before = AllocationCount();
  void* const memory = allocate();
  Publish(memory);
  const uint64_t counted = AllocationCount() - before;
  std::free(memory);
  return counted;
}

TEST(AllocationCountTest, EachWayToAllocateCountsOnce) {
  EXPECT_EQ(AllocationsOf([] { return std::malloc(100); }), 1);
  EXPECT_EQ(AllocationsOf([] { return std::calloc(10, 10); }), 1);
  EXPECT_EQ(AllocationsOf([] { return std::realloc(nullptr, 100); }), 1);
  EXPECT_EQ(AllocationsOf([] { return std::aligned_alloc(64, 128); }),
            kAligned);
  EXPECT_EQ(AllocationsOf([] { return memalign(64, 128); }), kAligned);
  EXPECT_EQ(AllocationsOf([] {
              void* memory = nullptr;
              return posix_memalign(&memory, 64, 128) == 0 ? memory : nullptr;
            }),
            kAligned);
}

TEST(AllocationCountTest, OperatorNewCounts) {
  const uint64_t before = AllocationCount();
  auto* const plain = new char[100];
  Publish(plain);
  const uint64_t after_plain = AllocationCount();
  void* const aligned = ::operator new (128, std::align_val_t{64});
  Publish(aligned);
  const uint64_t after_aligned = AllocationCount();
  ::operator delete (aligned, std::align_val_t{64});
  delete[] plain;

  EXPECT_EQ(after_plain - before, 1);
  EXPECT_EQ(after_aligned - after_plain, kAligned);
}

TEST(AllocationCountTest, AlignedMemoryIsAligned) {
  void* const memory = std::aligned_alloc(4096, 4096);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory) % 4096, 0);
  std::free(memory);
}

TEST(AllocationCountTest, FreeingDoesNotCount) {
  void* const memory = std::malloc(100);
  Publish(memory);
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
