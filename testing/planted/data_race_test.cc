// Planted: two threads write a member that no lock guards, each after a correct
// use of its guarded neighbour. ThreadSanitizer must report exactly the first:
// the lane is blind if it misses it, and useless if it takes absl::Mutex itself
// for a race.

#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gtest/gtest.h"

namespace {

struct Counters {
  absl::Mutex mu;
  int guarded ABSL_GUARDED_BY(mu) = 0;
  int unguarded = 0;
};

// The unguarded write comes last: nothing that either thread does afterwards
// could order it before the other's.
void Count(Counters& counters) {
  {
    absl::MutexLock lock(&counters.mu);
    ++counters.guarded;
  }
  ++counters.unguarded;
}

TEST(PlantedTest, WritesWithoutALock) {
  Counters counters;
  std::thread first([&counters] { Count(counters); });
  std::thread second([&counters] { Count(counters); });
  first.join();
  second.join();

  absl::MutexLock lock(&counters.mu);
  EXPECT_EQ(counters.guarded, 2);
}

}  // namespace
