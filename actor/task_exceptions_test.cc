// What a Task throws, and when.
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

// Throws when its events have fired `throw_after` times.
Task<Counted> ThrowAfter(int throw_after, Event* first, Event* second) {
  Counted local(1);
  if (throw_after == 0) throw std::runtime_error("before");
  co_await *first;
  if (throw_after == 1) throw std::runtime_error("between");
  co_await *second;
  throw std::runtime_error("after");
}
Task<std::string> Catch(int throw_after, Event* first, Event* second) {
  Counted local(1);
  try {
    co_await ThrowAfter(throw_after, first, second);
  } catch (const std::runtime_error& error) {
    co_return error.what();
  }
  co_return "nothing";
}

TEST(TaskExceptionsTest, AwaitThrowsWhatTheChildThrew) {
  const std::string expected[] = {"before", "between", "after"};
  for (int throw_after = 0; throw_after < 3; ++throw_after) {
    Event first;
    Event second;
    Root<std::string> root(Catch(throw_after, &first, &second));
    root.Start();
    if (throw_after > 0) first.Fire();
    if (throw_after > 1) second.Fire();
    ASSERT_TRUE(root.done());
    EXPECT_EQ(root.TakeResult(), expected[throw_after]);
    EXPECT_EQ(Counted::living(), 0);
  }
}

Task<Counted> Pass(int throw_after, Event* first, Event* second) {
  Counted local(1);
  co_return co_await ThrowAfter(throw_after, first, second);
}

TEST(TaskExceptionsTest, ExceptionPassesThroughToTheRoot) {
  Event first;
  Event second;
  Root<Counted> root(Pass(2, &first, &second));
  root.Start();
  first.Fire();
  EXPECT_FALSE(root.done());
  second.Fire();

  ASSERT_TRUE(root.done());
  EXPECT_EQ(Counted::living(), 0);
  EXPECT_THROW(root.TakeResult(), std::runtime_error);
}

TEST(TaskExceptionsTest, ResultThatNobodyTakesIsDestroyed) {
  {
    Root<Counted> root(Pass(0, nullptr, nullptr));
    EXPECT_TRUE(root.Start());
  }
  EXPECT_EQ(Counted::living(), 0);
}

Task<void> ThrowNothing() { co_return; }
Task<void> ThrowInteger() {
  co_await ThrowNothing();
  throw 7;
}

TEST(TaskExceptionsTest, TaskWithoutResultThrowsToo) {
  RunToEnd(ThrowNothing());
  EXPECT_THROW(RunToEnd(ThrowInteger()), int);
}

Task<int> Recover() {
  int caught = 0;
  for (int i = 0; i < 1000; ++i) {
    try {
      co_await ThrowInteger();
    } catch (int value) {
      caught += value;
    }
  }
  co_return caught;
}

TEST(TaskExceptionsTest, ParentGoesOnAfterwards) {
  EXPECT_EQ(RunToEnd(Recover()), 7000);
}

// A result whose making throws is no result.
struct Thrower {
  explicit Thrower(bool fail) {
    if (fail) throw std::logic_error("no such result");
  }
  Thrower(Thrower&&) { throw std::logic_error("not moved"); }
};
Task<std::unique_ptr<Thrower>> MakePointer() {
  co_return std::make_unique<Thrower>(true);
}
Task<Thrower> MakeValue() { co_return Thrower(false); }

TEST(TaskExceptionsTest, ResultMayThrowWhenItIsMade) {
  EXPECT_THROW(RunToEnd(MakePointer()), std::logic_error);
  EXPECT_THROW(RunToEnd(MakeValue()), std::logic_error);
}

Task<int> ThrowDeep(int depth) {
  Counted local(1);
  if (depth == 0) throw 3;
  co_return co_await ThrowDeep(depth - 1);
}

TEST(TaskExceptionsTest, ExceptionPassesThroughADeepRecursion) {
  EXPECT_THROW(RunToEnd(ThrowDeep(10'000)), int);
  EXPECT_EQ(Counted::living(), 0);
}

}  // namespace
}  // namespace troupe
