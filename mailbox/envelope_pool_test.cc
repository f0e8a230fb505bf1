#include "troupe/mailbox/envelope_pool.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/base/allocation_gate.h"

namespace troupe {
namespace {

constexpr uint8_t kSmall = EnvelopePool::ClassOf(64);

TEST(EnvelopePoolTest, ClassIsTheSmallestThatHolds) {
  EXPECT_EQ(EnvelopePool::ClassOf(1), 0);
  EXPECT_EQ(EnvelopePool::ClassOf(64), 0);
  EXPECT_EQ(EnvelopePool::ClassOf(65), 1);
  EXPECT_EQ(EnvelopePool::ClassOf(128), 1);
  EXPECT_EQ(EnvelopePool::ClassOf(129), 2);
  EXPECT_EQ(EnvelopePool::ClassOf(192), 2);
  EXPECT_EQ(EnvelopePool::ClassOf(193), 3);
  EXPECT_EQ(EnvelopePool::ClassOf(2049), 7);
  EXPECT_EQ(EnvelopePool::ClassOf(4096), 7);
  EXPECT_EQ(EnvelopePool::ClassOf(4097), EnvelopePool::kOversize);
  for (uint8_t c = 0; c < EnvelopePool::kClasses; ++c) {
    EXPECT_EQ(EnvelopePool::ClassOf(EnvelopePool::SizeOf(c)), c);
  }
  EXPECT_EQ(EnvelopePool::SizeOf(EnvelopePool::kOversize), 0u);
}

TEST(EnvelopePoolTest, BlockFreedLastIsAllocatedFirst) {
  for (uint8_t c = 0; c < EnvelopePool::kClasses; ++c) {
    void* const first = EnvelopePool::Allocate(c);
    void* const second = EnvelopePool::Allocate(c);
    EnvelopePool::Free(first, c);
    EnvelopePool::Free(second, c);
    EXPECT_EQ(EnvelopePool::Allocate(c), second);
    EXPECT_EQ(EnvelopePool::Allocate(c), first);
    EnvelopePool::Free(first, c);
    EnvelopePool::Free(second, c);
  }
}

TEST(EnvelopePoolTest, BlocksInUseDoNotOverlap) {
  // More than the cache holds, so that the depot has a part in it.
  std::vector<std::pair<char*, uint8_t>> blocks;
  for (int i = 0; i < 1000; ++i) {
    const uint8_t c = i % EnvelopePool::kClasses;
    auto* const block = static_cast<char*>(EnvelopePool::Allocate(c));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % EnvelopePool::kMaxAlignment,
              0u);
    std::memset(block, i % 251, EnvelopePool::SizeOf(c));
    blocks.emplace_back(block, c);
  }
  for (int i = 0; i < 1000; ++i) {
    const auto [block, c] = blocks[i];
    const std::vector<char> expected(EnvelopePool::SizeOf(c),
                                     static_cast<char>(i % 251));
    EXPECT_EQ(std::memcmp(block, expected.data(), expected.size()), 0);
    EnvelopePool::Free(block, c);
  }
}

TEST(EnvelopePoolTest, OversizeBlockIsAlignedAndComesFromTheHeap) {
  const size_t mapped = EnvelopePool::MappedBytes();
  void* const block = EnvelopePool::AllocateOversize(100000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % EnvelopePool::kMaxAlignment,
            0u);
  std::memset(block, 1, 100000);
  EnvelopePool::Free(block, EnvelopePool::kOversize);
  EXPECT_EQ(EnvelopePool::MappedBytes(), mapped);
}

TEST(EnvelopePoolTest, MemoryIsUsedAgain) {
  for (int round = 0; round < 2; ++round) {
    const size_t mapped = EnvelopePool::MappedBytes();
    const size_t held = EnvelopePool::HeldBytes();
    for (int i = 0; i < 1'000'000; ++i) {
      EnvelopePool::Free(EnvelopePool::Allocate(kSmall), kSmall);
    }
    if (round == 0) continue;  // The first fills the cache.
    EXPECT_EQ(EnvelopePool::MappedBytes(), mapped);
    EXPECT_EQ(EnvelopePool::HeldBytes(), held);
  }
}

TEST(EnvelopePoolTest, EndingThreadHandsItsCacheOn) {
  // Each of these threads leaves less than a magazine behind. If those were
  // not gathered, or were lost, the pool would grow by a page a thread.
  size_t held = 0;
  for (int i = 0; i < 200; ++i) {
    std::thread([] {
      std::vector<void*> blocks(10);
      for (void*& block : blocks) block = EnvelopePool::Allocate(kSmall);
      for (void* block : blocks) EnvelopePool::Free(block, kSmall);
    }).join();
    if (i == 0) held = EnvelopePool::HeldBytes();
  }
  EXPECT_EQ(EnvelopePool::HeldBytes(), held);
}

// Keeps blocks until its thread's objects are destroyed.
class Hoard {
 public:
  ~Hoard() {
    for (void* block : blocks_) EnvelopePool::Free(block, kSmall);
    // The cache may have gone by now; the pool works all the same.
    void* const late = EnvelopePool::Allocate(kSmall);
    std::memset(late, 1, 64);
    EnvelopePool::Free(late, kSmall);
  }
  void Add(void* block) { blocks_.push_back(block); }

 private:
  std::vector<void*> blocks_;
};

// A function's thread_local is destroyed before those that were constructed
// before it: the first call of Early() decides on which side of the pool's
// cache it lies.
Hoard& ThreadHoard() {
  thread_local Hoard hoard;
  return hoard;
}

void RunThreadsWithHoards(bool hoard_is_older_than_cache) {
  size_t held = 0;
  for (int i = 0; i < 200; ++i) {
    std::thread([&] {
      if (hoard_is_older_than_cache) ThreadHoard();
      for (int k = 0; k < 200; ++k) {
        void* const block = EnvelopePool::Allocate(kSmall);
        std::memset(block, 1, 64);
        ThreadHoard().Add(block);
      }
    }).join();
    if (i == 0) held = EnvelopePool::HeldBytes();
  }
  EXPECT_EQ(EnvelopePool::HeldBytes(), held);
}

TEST(EnvelopePoolTest, ThreadLocalObjectsMayFreeAfterTheCacheHasGone) {
  RunThreadsWithHoards(/*hoard_is_older_than_cache=*/true);
}

TEST(EnvelopePoolTest, ThreadLocalObjectsMayFreeBeforeTheCacheGoes) {
  RunThreadsWithHoards(/*hoard_is_older_than_cache=*/false);
}

TEST(EnvelopePoolTest, ThreadMayFreeWithoutEverAllocating) {
  void* const block = EnvelopePool::Allocate(kSmall);
  std::thread([&] { EnvelopePool::Free(block, kSmall); }).join();
  std::thread([&] {
    void* const again = EnvelopePool::Allocate(kSmall);
    std::memset(again, 1, 64);
    EnvelopePool::Free(again, kSmall);
  }).join();
}

TEST(EnvelopePoolTest, ReleaseUnusedGivesBackWhatAFloodNeeded) {
  std::vector<void*> flood(100'000);
  for (void*& block : flood) block = EnvelopePool::Allocate(kSmall);
  void* const kept = EnvelopePool::Allocate(kSmall);
  std::memset(kept, 7, 64);
  const size_t peak = EnvelopePool::HeldBytes();
  for (void* block : flood) EnvelopePool::Free(block, kSmall);

  EnvelopePool::ReleaseUnused();

  EXPECT_LT(EnvelopePool::HeldBytes(), peak / 10);
  EXPECT_EQ(static_cast<char*>(kept)[63], 7);
  EnvelopePool::Free(kept, kSmall);
}

// Admits so many allocations.
struct Gate final : internal::AllocationGate {
  explicit Gate(int admitted) : left(admitted) {
    EnvelopePool::KeepNothing(true);
    internal::allocation_gate = this;
  }
  ~Gate() {
    internal::allocation_gate = nullptr;
    EnvelopePool::KeepNothing(false);
  }
  bool Admits() override { return left-- > 0; }
  int left;
};

TEST(EnvelopePoolTest, AsksTheGateForEachBlock) {
  EnvelopePool::Free(EnvelopePool::Allocate(0), 0);  // In the cache.
  Gate gate(3);
  for (int i = 0; i < 3; ++i) {
    EnvelopePool::Free(EnvelopePool::Allocate(0), 0);
  }
  EXPECT_THROW((void)EnvelopePool::Allocate(0), std::bad_alloc);
  EXPECT_THROW((void)EnvelopePool::AllocateOversize(10'000), std::bad_alloc);
}

TEST(EnvelopePoolTest, KeepsBlocksAgainAfterTheGate) {
  { const Gate gate(0); }
  void* const block = EnvelopePool::Allocate(1);
  EnvelopePool::Free(block, 1);
  EXPECT_EQ(EnvelopePool::Allocate(1), block);
  EnvelopePool::Free(block, 1);
}

}  // namespace
}  // namespace troupe
