#include "troupe/benchmarks/resident_memory.h"

#include <sys/mman.h>

#include <cstdint>
#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/benchmarks/allocation_count.h"

namespace troupe::benchmarks {
namespace {

using ::testing::Ge;
using ::testing::Lt;

constexpr int64_t kBytes = 64 << 20;
// The kernel counts for each thread, and adds up now and then.
constexpr int64_t kTolerance = 1 << 20;

// Memory of its own, all of it touched.
class Touched {
 public:
  Touched()
      : memory_(static_cast<volatile char*>(
            mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0))) {
    EXPECT_NE(memory_, MAP_FAILED);
  }
  ~Touched() { munmap(const_cast<char*>(memory_), kBytes); }

 private:
  volatile char* const memory_;
};

TEST(ResidentMemoryTest, TouchedMemoryIsResident) {
  const int64_t before = ResidentBytes();
  const Touched touched;
  EXPECT_THAT(ResidentBytes() - before, Ge(kBytes - kTolerance));
}

TEST(ResidentMemoryTest, ExactNumberCountsEachPage) {
  const int64_t before = ExactResidentBytes();
  const Touched touched;
  EXPECT_THAT(ExactResidentBytes() - before, Ge(kBytes));
}

TEST(ResidentMemoryTest, AwaitsThatMemoryGoes) {
  const int64_t before = ExactResidentBytes();
  auto touched = std::make_unique<Touched>();
  EXPECT_THAT(AwaitResidentBytes(before, absl::ZeroDuration()),
              Ge(before + kBytes));
  std::thread thread([&touched] { touched.reset(); });
  EXPECT_THAT(AwaitResidentBytes(before + kTolerance, absl::Minutes(1)),
              Lt(before + kBytes / 2));
  thread.join();
}

TEST(ResidentMemoryTest, PeakStaysUntilItIsReset) {
  { const Touched touched; }
  const int64_t peak = PeakResidentBytes();
  EXPECT_THAT(peak, Ge(ResidentBytes() + kBytes - kTolerance));

  ResetPeakResidentBytes();
  EXPECT_THAT(PeakResidentBytes(), Lt(peak - kBytes / 2));
}

TEST(ResidentMemoryTest, LookingAllocatesNothing) {
  const uint64_t before = AllocationCount();
  ResidentBytes();
  PeakResidentBytes();
  ResetPeakResidentBytes();
  EXPECT_EQ(AllocationCount(), before);
}

}  // namespace
}  // namespace troupe::benchmarks
