#include "troupe/base/must_have_memory.h"

#include <new>
#include <stdexcept>

#include "gtest/gtest.h"
#include "troupe/base/allocation_gate.h"

namespace troupe::internal {
namespace {

TEST(MustHaveMemoryTest, ReturnsWhatTheFunctionReturns) {
  int value = 1;
  int& same = MustHaveMemory("a reference", [&]() -> int& { return value; });
  EXPECT_EQ(&same, &value);
  MustHaveMemory("nothing", [&] { value = 2; });
  EXPECT_EQ(value, 2);
}

TEST(MustHaveMemoryTest, LetsOtherExceptionsPass) {
  EXPECT_THROW(
      MustHaveMemory("this", [] { throw std::runtime_error("other"); }),
      std::runtime_error);
}

struct ClosedGate final : AllocationGate {
  explicit ClosedGate(bool all) : is_for_all(all) { allocation_gate = this; }
  ~ClosedGate() { allocation_gate = nullptr; }
  bool Admits() override { return false; }
  bool IsForAll() const override { return is_for_all; }
  const bool is_for_all;
};

TEST(MustHaveMemoryTest, LiftsGatesThatAreNotForAll) {
  const ClosedGate gate(/*all=*/false);
  MustHaveMemory("this", [] { PassAllocationGate(); });
  EXPECT_THROW(PassAllocationGate(), std::bad_alloc);
}

TEST(MustHaveMemoryDeathTest, LeavesGatesThatAreForAll) {
  const ClosedGate gate(/*all=*/true);
  EXPECT_DEATH(MustHaveMemory("this", [] { PassAllocationGate(); }),
               "out of memory: this");
}

TEST(MustHaveMemoryDeathTest, EndsTheProcessWithWhatItWasFor) {
  EXPECT_DEATH(MustHaveMemory("the names", [] { throw std::bad_alloc(); }),
               "out of memory: the names");
}

}  // namespace
}  // namespace troupe::internal
