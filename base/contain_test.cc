#include "troupe/base/contain.h"

#include <cstddef>
#include <cstdlib>
#include <new>
#include <stdexcept>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

namespace {

thread_local bool memory_is_short = false;

}  // namespace

void* operator new(size_t size) {
  void* const memory = memory_is_short ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace troupe::internal {
namespace {

using testing::IsOk;
using testing::StatusIs;

TEST(ContainTest, IsOkWhenTheFunctionReturns) {
  bool called = false;
  EXPECT_THAT(Contain([&called] { called = true; }), IsOk());
  EXPECT_TRUE(called);
}

TEST(ContainTest, PassesAStatusOn) {
  EXPECT_THAT(Contain([] { return absl::NotFoundError("no such file"); }),
              StatusIs(absl::StatusCode::kNotFound, "no such file"));
}

TEST(ContainTest, KeepsTheTextOfAnException) {
  EXPECT_THAT(Contain([] { throw std::runtime_error("disk on fire"); }),
              StatusIs(absl::StatusCode::kUnknown, "exception: disk on fire"));
}

TEST(ContainTest, ContainsExceptionsOfAnyType) {
  EXPECT_THAT(Contain([]() -> absl::Status { throw 17; }),
              StatusIs(absl::StatusCode::kUnknown,
                       "exception of a type not from std::exception"));
}

// Clause 34: memory that is short may be what was thrown.
TEST(ContainTest, NeedsNoMemory) {
  memory_is_short = true;
  const absl::Status status = Contain([] { throw std::bad_alloc(); });
  const absl::Status other = Contain([] { throw 17; });
  memory_is_short = false;
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kResourceExhausted));
  EXPECT_THAT(other, StatusIs(absl::StatusCode::kResourceExhausted));
}

// A function that may be called only as an rvalue.
TEST(ContainTest, CallsRvaluesAsRvalues) {
  struct Once {
    void operator()() && { called = true; }
    bool& called;
  };
  bool called = false;
  EXPECT_THAT(Contain(Once{called}), IsOk());
  EXPECT_TRUE(called);
}

}  // namespace
}  // namespace troupe::internal
