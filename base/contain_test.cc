#include "troupe/base/contain.h"

#include <stdexcept>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "troupe/testing/status_matchers.h"

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
