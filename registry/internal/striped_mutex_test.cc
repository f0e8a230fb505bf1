// The lock of a table that is mostly read: who excludes whom.
#include "troupe/registry/internal/striped_mutex.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/barrier.h"
#include "gtest/gtest.h"

namespace troupe::internal {
namespace {

TEST(StripedMutexTest, StripesAreAPowerOfTwo) {
  EXPECT_EQ(StripedMutex(0).stripes(), 1u);
  EXPECT_EQ(StripedMutex(1).stripes(), 1u);
  EXPECT_EQ(StripedMutex(3).stripes(), 4u);
  EXPECT_EQ(StripedMutex(4).stripes(), 4u);
  EXPECT_EQ(StripedMutex(1000).stripes(), StripedMutex::kMaxStripes);
  EXPECT_GE(StripedMutex().stripes(), 1u);
}

TEST(StripedMutexTest, ReadersEnterTogether) {
  // Of one stripe: not even then do they wait for each other.
  StripedMutex mu(1);
  auto* const inside = new absl::Barrier(2);
  const auto read = [&] {
    const StripedReaderLock lock(mu);
    if (inside->Block()) delete inside;  // Returns when both are here.
  };
  std::thread other(read);
  read();
  other.join();
}

// Plain data that only the lock protects: under TSan a gap in it is a race.
struct Counts {
  explicit Counts(unsigned stripes) : mu(stripes) {}
  StripedMutex mu;
  int first ABSL_GUARDED_BY(mu) = 0;
  int second ABSL_GUARDED_BY(mu) = 0;
};

TEST(StripedMutexStressTest, WritersExcludeAll) {
  for (const unsigned stripes : {1u, 2u, 16u}) {
    Counts counts(stripes);
    constexpr int kSteps = 3000;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        for (int step = 0; step < kSteps; ++step) {
          const StripedWriterLock lock(counts.mu);
          ++counts.first;
          if (step % 16 == 0) std::this_thread::yield();  // For who reads.
          ++counts.second;
        }
      });
      threads.emplace_back([&] {
        for (int step = 0; step < kSteps; ++step) {
          const StripedReaderLock lock(counts.mu);
          EXPECT_EQ(counts.first, counts.second);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    const StripedReaderLock lock(counts.mu);
    EXPECT_EQ(counts.first, 2 * kSteps);
  }
}

}  // namespace
}  // namespace troupe::internal
