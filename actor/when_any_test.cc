#include "troupe/actor/when_any.h"

#include <coroutine>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"
#include "troupe/actor/when_all.h"

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
Task<void> WaitForVoid(Event& event) {
  const Counted local(1);
  co_await event;
}
Task<std::unique_ptr<int>> WaitForPointer(Event& event) {
  co_return std::make_unique<int>(co_await event);
}

using ThreeKinds = std::variant<int, std::monostate, std::unique_ptr<int>>;
Task<ThreeKinds> FirstOfThree(Event& first, Event& second, Event& third) {
  co_return co_await WhenAny(WaitFor(first), WaitForVoid(second),
                             WaitForPointer(third));
}

TEST(WhenAnyTest, YieldsTheResultOfTheFirst) {
  for (size_t first = 0; first < 3; ++first) {
    std::vector<Event> events(3);
    Root<ThreeKinds> root(FirstOfThree(events[0], events[1], events[2]));
    root.Start();
    EXPECT_FALSE(root.done());

    events[first].Fire(7);

    ASSERT_TRUE(root.done());
    const ThreeKinds result = root.TakeResult();
    EXPECT_EQ(result.index(), first);
    if (first == 0) {
      EXPECT_EQ(std::get<0>(result), 7);
    }
    if (first == 2) {
      EXPECT_EQ(*std::get<2>(result), 7);
    }
    for (Event& event : events) EXPECT_FALSE(event.has_waiter());
    EXPECT_EQ(Counted::living(), 0);
  }
}

TEST(WhenAnyTest, KindsMayBeTheSame) {
  Event event;
  auto body = [&]() -> Task<std::variant<int, int>> {
    co_return co_await WhenAny(WaitFor(event), Give(2));
  };
  EXPECT_EQ(RunToEnd(body()).index(), 1);
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAnyTest, OthersAreGoneWhenTheWaiterGoesOn) {
  Event won;
  Event lost;
  int living = -1;
  bool has_waiter = true;
  auto body = [&]() -> Task<void> {
    auto first = co_await WhenAny(WaitForVoid(lost), WaitForVoid(won));
    EXPECT_EQ(first.index(), 1);
    has_waiter = lost.has_waiter();
    co_return;
  };
  auto counting = [&]() -> Task<void> {
    co_await body();
    living = Counted::living();
  };
  Root<void> root(counting());
  root.Start();
  won.Fire();
  EXPECT_TRUE(root.done());
  EXPECT_FALSE(has_waiter);
  EXPECT_EQ(living, 0);
}

TEST(WhenAnyTest, ThoseBehindOneThatEndsAtOnceAreNotBegun) {
  bool began = false;
  auto begin = [&]() -> Task<int> {
    began = true;
    co_return 1;
  };
  Event event;
  auto body = [&]() -> Task<size_t> {
    auto first = co_await WhenAny(WaitFor(event), Give(1), begin());
    co_return first.index();
  };
  EXPECT_EQ(RunToEnd(body()), 1);
  EXPECT_FALSE(began);
  EXPECT_FALSE(event.has_waiter());
  EXPECT_EQ(Counted::living(), 0);
}

Task<int> FireThenEnd(Event& event) {
  event.Fire(1);
  co_return 2;
}

TEST(WhenAnyTest, SecondMayEndInItsBeginningBehindTheFirst) {
  Event event;
  auto body = [&]() -> Task<std::variant<int, int>> {
    co_return co_await WhenAny(WaitFor(event), FireThenEnd(event));
  };
  EXPECT_EQ(RunToEnd(body()),
            (std::variant<int, int>(std::in_place_index<0>, 1)));
  EXPECT_EQ(Counted::living(), 0);
}

Task<FirstOf<int>> FirstOfMany(std::vector<Event>& events) {
  std::vector<Task<int>> tasks;
  for (Event& event : events) tasks.push_back(WaitFor(event));
  co_return co_await WhenAny(std::move(tasks));
}

TEST(WhenAnyTest, VectorYieldsIndexAndValue) {
  constexpr int kMany = 100;
  for (int first = 0; first < kMany; ++first) {
    std::vector<Event> events(kMany);
    Root<FirstOf<int>> root(FirstOfMany(events));
    root.Start();
    events[first].Fire(first + 1);
    ASSERT_TRUE(root.done());
    const auto [index, value] = root.TakeResult();
    EXPECT_EQ(index, first);
    EXPECT_EQ(value, first + 1);
    EXPECT_EQ(Counted::living(), 0);
    for (Event& event : events) EXPECT_FALSE(event.has_waiter());
  }
}

TEST(WhenAnyTest, DestroyedWhereItWaitsLeavesNothing) {
  for (const bool started : {false, true}) {
    std::vector<Event> events(3);
    {
      Root<FirstOf<int>> root(FirstOfMany(events));
      if (started) root.Start();
    }
    EXPECT_EQ(Counted::living(), 0);
    for (Event& event : events) EXPECT_FALSE(event.has_waiter());
  }
}

// Hands over who wait for it, all in one run.
class Gate {
 public:
  struct Awaiter {
    explicit Awaiter(Gate& g) : gate(g) {}
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      gate.waiters_.push_back(waiter);
    }
    void await_resume() const {}
    Gate& gate;
  };
  Awaiter operator co_await() { return Awaiter(*this); }

  void Open() {
    auto body = [this]() -> Task<void> {
      for (const std::coroutine_handle<> waiter : waiters_) {
        internal::HandOver(waiter);
      }
      co_return;
    };
    RunToEnd(body());
  }

 private:
  std::vector<std::coroutine_handle<>> waiters_;
};
Task<int> WaitForGate(Gate& gate, int value, std::vector<int>& ended) {
  const Counted local(value);
  co_await gate;
  ended.push_back(value);
  co_return value;
}

// All end before the waiter goes on, which is queued behind them.
TEST(WhenAnyTest, SeveralMayEndInOneRun) {
  Gate gate;
  std::vector<int> ended;
  auto body = [&]() -> Task<int> {
    std::vector<Task<int>> tasks;
    for (int i = 0; i < 3; ++i) tasks.push_back(WaitForGate(gate, i, ended));
    const FirstOf<int> first = co_await WhenAny(std::move(tasks));
    EXPECT_EQ(Counted::living(), 0);
    co_return first.value;
  };
  Root<int> root(body());
  root.Start();

  gate.Open();

  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), 0);
  EXPECT_EQ(ended, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAnyTest, OtherIsDestroyedInTheQueue) {
  // The second ends, too, but its parent is queued behind the waiter, which
  // destroys it.
  Gate gate;
  std::vector<int> ended;
  int after = 0;
  auto slow = [&]() -> Task<int> {
    const int value = co_await WaitForGate(gate, 1, ended);
    ++after;
    co_return value;
  };
  auto body = [&]() -> Task<size_t> {
    auto first = co_await WhenAny(WaitForGate(gate, 0, ended), slow());
    co_return first.index();
  };
  Root<size_t> root(body());
  root.Start();

  gate.Open();

  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), 0);
  EXPECT_EQ(ended, (std::vector<int>{0, 1}));
  EXPECT_EQ(after, 0);
  EXPECT_EQ(Counted::living(), 0);
}

// Beyond the bound on nesting, children are queued instead of started; the
// first that runs ends and the others are destroyed in the queue.
Task<size_t> AnyAtDepth(int depth, int& begun) {
  if (depth > 0) co_return co_await AnyAtDepth(depth - 1, begun);
  auto begin = [&begun]() -> Task<int> {
    ++begun;
    co_return begun;
  };
  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(begin());
  const FirstOf<int> first = co_await WhenAny(std::move(tasks));
  co_return first.index;
}

TEST(WhenAnyTest, FirstWinsAtAnyDepth) {
  for (int depth = 0; depth < 2 * internal::CoroutineRun::kMaxNesting;
       ++depth) {
    int begun = 0;
    EXPECT_EQ(RunToEnd(AnyAtDepth(depth, begun)), 0);
    EXPECT_GE(begun, 1);
  }
}

TEST(WhenAnyTest, TakesWhateverCanBeAwaited) {
  Event event;
  Event other;
  auto body = [&]() -> Task<int> {
    auto first = co_await WhenAny(event, WhenAll(WaitFor(other), Give(1)));
    if (first.index() == 0) co_return std::get<0>(first);
    co_return -std::get<0>(std::get<1>(first));
  };
  {
    Root<int> root(body());
    root.Start();
    event.Fire(3);
    EXPECT_EQ(root.TakeResult(), 3);
    EXPECT_FALSE(other.has_waiter());
  }
  {
    Root<int> root(body());
    root.Start();
    other.Fire(4);
    EXPECT_EQ(root.TakeResult(), -4);
    EXPECT_FALSE(event.has_waiter());
  }
  EXPECT_EQ(Counted::living(), 0);
}

TEST(WhenAnyTest, LoopDoesNotGrowTheStack) {
  Event never;
  auto body = [&]() -> Task<int> {
    int sum = 0;
    for (int i = 0; i < 100'000; ++i) {
      auto first = co_await WhenAny(WaitFor(never), Give(1));
      sum += std::get<1>(first);
    }
    co_return sum;
  };
  EXPECT_EQ(RunToEnd(body()), 100'000);
  EXPECT_EQ(Counted::living(), 0);
}

#ifdef __cpp_exceptions

Task<int> ThrowAfter(Event* event) {
  const Counted local(1);
  if (event != nullptr) co_await *event;
  throw std::string("thrown");
}
Task<std::string> CatchOfTwo(Event& first, Event* second) {
  try {
    co_await WhenAny(WaitFor(first), ThrowAfter(second));
  } catch (const std::string& what) {
    co_return what;
  }
  co_return "nothing";
}

TEST(WhenAnyTest, ThrowsWhatTheFirstThrew) {
  for (const bool waits : {false, true}) {
    Event first;
    Event second;
    Root<std::string> root(CatchOfTwo(first, waits ? &second : nullptr));
    root.Start();
    if (waits) second.Fire();
    ASSERT_TRUE(root.done());
    EXPECT_EQ(root.TakeResult(), "thrown");
    EXPECT_FALSE(first.has_waiter());
    EXPECT_EQ(Counted::living(), 0);
  }
}

TEST(WhenAnyTest, WhatTheOthersThrowIsNotMissed) {
  Event first;
  Event second;
  Root<std::string> root(CatchOfTwo(first, &second));
  root.Start();
  first.Fire();
  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), "nothing");
}

#endif  // __cpp_exceptions

TEST(WhenAnyDeathTest, EmptyVectorIsRefused) {
  EXPECT_DEATH((void)WhenAny(std::vector<Task<int>>()),
               "the first of nothing never ends");
}

}  // namespace
}  // namespace troupe
