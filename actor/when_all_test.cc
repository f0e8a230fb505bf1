#include "troupe/actor/when_all.h"

#include <coroutine>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

Task<int> Give(int value) {
  const Counted local(value);
  co_return local.value();
}
Task<int> WaitFor(Event& event) {
  const Counted local(1);
  co_return co_await event;
}
Task<void> WaitForVoid(Event& event) { co_await event; }
Task<std::unique_ptr<int>> GivePointer(int value) {
  co_return std::make_unique<int>(value);
}

TEST(WhenAllTest, ResultsAreInTheOrderGiven) {
  Event first;
  Event third;
  auto body = [&]() -> Task<std::tuple<int, int, int>> {
    co_return co_await WhenAll(WaitFor(first), Give(2), WaitFor(third));
  };
  Root<std::tuple<int, int, int>> root(body());
  root.Start();

  third.Fire(3);
  EXPECT_FALSE(root.done());
  first.Fire(1);

  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), std::tuple(1, 2, 3));
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAllTest, AllMayEndAtOnce) {
  auto body = []() -> Task<int> {
    auto [first, second] = co_await WhenAll(Give(1), GivePointer(2));
    co_return first + *second;
  };
  EXPECT_EQ(RunToEnd(body()), 3);
}

TEST(WhenAllTest, NothingIsOneMonostateEach) {
  Event event;
  auto body = [&]() -> Task<int> {
    std::tuple<std::monostate, int> results =
        co_await WhenAll(WaitForVoid(event), Give(1));
    co_return std::get<1>(results);
  };
  Root<int> root(body());
  root.Start();
  event.Fire();
  EXPECT_EQ(root.TakeResult(), 1);
}

TEST(WhenAllTest, WaitsForNothingOfNothing) {
  auto body = []() -> Task<size_t> {
    std::tuple<> none = co_await WhenAll();
    (void)none;
    std::vector<int> results = co_await WhenAll(std::vector<Task<int>>());
    co_return results.size();
  };
  EXPECT_EQ(RunToEnd(body()), 0);
}

Task<std::vector<int>> WaitForMany(std::vector<Event>& events) {
  std::vector<Task<int>> tasks;
  for (Event& event : events) tasks.push_back(WaitFor(event));
  co_return co_await WhenAll(std::move(tasks));
}

TEST(WhenAllTest, VectorYieldsAVector) {
  constexpr int kMany = 1000;
  std::vector<Event> events(kMany);
  Root<std::vector<int>> root(WaitForMany(events));
  root.Start();
  for (int i = kMany - 1; i >= 0; --i) {
    EXPECT_FALSE(root.done());
    events[i].Fire(i);
  }
  ASSERT_TRUE(root.done());
  const std::vector<int> results = root.TakeResult();
  ASSERT_EQ(results.size(), kMany);
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(results[i], i);
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAllTest, VectorOfTasksWithoutResult) {
  std::vector<Event> events(2);
  auto body = [&]() -> Task<size_t> {
    std::vector<Task<void>> tasks;
    for (Event& event : events) tasks.push_back(WaitForVoid(event));
    std::vector<std::monostate> results = co_await WhenAll(std::move(tasks));
    co_return results.size();
  };
  Root<size_t> root(body());
  root.Start();
  for (Event& event : events) event.Fire();
  EXPECT_EQ(root.TakeResult(), 2);
}

TEST(WhenAllTest, DestroyedWhereverItWaitsLeavesNothing) {
  for (int fired = -1; fired <= 3; ++fired) {
    std::vector<Event> events(3);
    {
      Root<std::vector<int>> root(WaitForMany(events));
      if (fired >= 0) root.Start();
      for (int i = 0; i < fired; ++i) events[2 - i].Fire();
      EXPECT_EQ(root.done(), fired == 3);
    }
    EXPECT_EQ(Counted::living(), 0);
    for (Event& event : events) EXPECT_FALSE(event.has_waiter());
  }
}

// Awaiters of other kinds than Task.
struct Ready {
  explicit Ready(int v) : value(v) {}
  bool await_ready() const { return true; }
  void await_suspend(std::coroutine_handle<>) const {}
  int await_resume() const { return counted.value() + value; }
  Counted counted{0};
  int value;
};
struct FreeAwaitable {
  int value;
};
Ready operator co_await(FreeAwaitable awaitable) {
  return Ready(awaitable.value);
}

TEST(WhenAllTest, TakesWhateverCanBeAwaited) {
  Event event;
  auto body = [&]() -> Task<int> {
    FreeAwaitable named{30};
    auto [a, b, c, d] = co_await WhenAll(event, Ready(4), named, Give(1000));
    static_assert(std::is_same_v<decltype(a), int>);
    co_return a + b + c + d;
  };
  {
    Root<int> root(body());
    root.Start();
    event.Fire(200);
    EXPECT_EQ(root.TakeResult(), 1234);
  }
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAllTest, TakesAVectorOfWhateverCanBeAwaited) {
  auto body = []() -> Task<int> {
    std::vector<Ready> readies;
    for (int i = 0; i < 3; ++i) readies.emplace_back(i);
    std::vector<int> results = co_await WhenAll(std::move(readies));
    co_return results[0] + 10 * results[1] + 100 * results[2];
  };
  EXPECT_EQ(RunToEnd(body()), 210);
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAllTest, MayBeNamedAndNested) {
  Event event;
  auto body = [&]() -> Task<int> {
    auto inner = WhenAll(WaitFor(event), Give(2));
    auto [both, third] = co_await WhenAll(std::move(inner), Give(3));
    co_return std::get<0>(both) + std::get<1>(both) + third;
  };
  Root<int> root(body());
  root.Start();
  event.Fire(1);
  EXPECT_EQ(root.TakeResult(), 6);
  EXPECT_EQ(Counted::living(), 0);
}

// A tree of coroutines, each with two children.
Task<int> Tree(int depth, std::vector<Event>& leaves, int leaf) {
  const Counted local(1);
  if (depth == 0) co_return co_await leaves[leaf];
  auto [left, right] = co_await WhenAll(Tree(depth - 1, leaves, 2 * leaf),
                                        Tree(depth - 1, leaves, 2 * leaf + 1));
  co_return left + right;
}

TEST(WhenAllTest, TreeEndsWithItsLastLeaf) {
  std::vector<Event> leaves(64);
  Root<int> root(Tree(6, leaves, 0));
  root.Start();
  for (Event& leaf : leaves) {
    EXPECT_FALSE(root.done());
    leaf.Fire(1);
  }
  EXPECT_EQ(root.TakeResult(), 64);
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAllTest, LoopDoesNotGrowTheStack) {
  auto body = []() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 100'000; ++i) {
      auto [a, b] = co_await WhenAll(Give(1), Give(1));
      sum += a + b;
    }
    co_return sum;
  };
  EXPECT_EQ(RunToEnd(body()), 200'000);
}

Task<int> Chain(int depth) {
  if (depth == 0) co_return 0;
  auto [below, here] = co_await WhenAll(Chain(depth - 1), Give(1));
  co_return below + here;
}

TEST(WhenAllTest, RecursionDoesNotGrowTheStack) {
  EXPECT_EQ(RunToEnd(Chain(100'000)), 100'000);
  EXPECT_EQ(Counted::living(), 0);
}

// A child is resumed and ends before its await_suspend() has returned, while
// the others are still to be begun.
struct ResumesAtOnce {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    internal::RunCoroutine(waiter);
  }
  int await_resume() const { return 1; }
};

TEST(WhenAllTest, ChildMayBeResumedWhileOthersAreBegun) {
  Event event;
  auto body = [&]() -> Task<int> {
    auto [a, b, c] =
        co_await WhenAll(ResumesAtOnce(), WaitFor(event), ResumesAtOnce());
    auto [d, e] = co_await WhenAll(ResumesAtOnce(), ResumesAtOnce());
    co_return a + b + c + d + e;
  };
  Root<int> root(body());
  root.Start();
  event.Fire(10);
  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), 14);
}

#ifdef __cpp_exceptions

Task<int> ThrowAfter(Event* event, std::string what) {
  const Counted local(1);
  if (event != nullptr) co_await *event;
  throw what;
}
Task<std::string> CatchOfTwo(Event* first, Event* second, Event& third) {
  try {
    co_await WhenAll(ThrowAfter(first, "first"), ThrowAfter(second, "second"),
                     WaitFor(third));
  } catch (const std::string& what) {
    co_return what;
  }
  co_return "nothing";
}

TEST(WhenAllTest, ThrowsWhenAllHaveEndedWhatTheFirstGivenThrew) {
  for (const bool first_waits : {false, true}) {
    for (const bool second_waits : {false, true}) {
      Event first;
      Event second;
      Event third;
      Root<std::string> root(CatchOfTwo(first_waits ? &first : nullptr,
                                        second_waits ? &second : nullptr,
                                        third));
      root.Start();
      if (second_waits) second.Fire();
      if (first_waits) first.Fire();
      EXPECT_FALSE(root.done());
      third.Fire();
      ASSERT_TRUE(root.done());
      EXPECT_EQ(root.TakeResult(), "first");
      EXPECT_EQ(Counted::living(), 0);
    }
  }
}

TEST(WhenAllTest, VectorThrowsWhatTheFirstGivenThrew) {
  auto body = []() -> Task<std::vector<int>> {
    std::vector<Task<int>> tasks;
    tasks.push_back(Give(1));
    tasks.push_back(ThrowAfter(nullptr, "second"));
    tasks.push_back(ThrowAfter(nullptr, "third"));
    co_return co_await WhenAll(std::move(tasks));
  };
  try {
    RunToEnd(body());
    ADD_FAILURE() << "nothing was thrown";
  } catch (const std::string& what) {
    EXPECT_EQ(what, "second");
  }
  EXPECT_EQ(Counted::living(), 0);
}

#endif  // __cpp_exceptions

}  // namespace
}  // namespace troupe
