#include "troupe/base/must_have_memory.h"

#include <new>
#include <stdexcept>

#include "gtest/gtest.h"

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

TEST(MustHaveMemoryDeathTest, EndsTheProcessWithWhatItWasFor) {
  EXPECT_DEATH(MustHaveMemory("the names", [] { throw std::bad_alloc(); }),
               "out of memory: the names");
}

}  // namespace
}  // namespace troupe::internal
