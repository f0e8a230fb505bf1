// That the stack does not grow: in loops, in recursions, and when these are
// destroyed. Meant for every lane: at -O2 an unlucky design passes, too.
#include <cstdint>

#include "gtest/gtest.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

constexpr int kLoops = 1'000'000;
constexpr int kDepth = 100'000;

Task<int> Give(int value) { co_return value; }
Task<int> WaitFor(Event& event) { co_return co_await event; }

Task<int64_t> AwaitInLoop() {
  int64_t sum = 0;
  for (int i = 0; i < kLoops; ++i) sum += co_await Give(1);
  co_return sum;
}

TEST(TaskDepthTest, LoopOverChildrenThatEndAtOnce) {
  EXPECT_EQ(RunToEnd(AwaitInLoop()), kLoops);
}

Task<int64_t> WaitInLoop(Event& event) {
  int64_t sum = 0;
  for (int i = 0; i < kLoops; ++i) sum += co_await WaitFor(event);
  co_return sum;
}

TEST(TaskDepthTest, LoopOverChildrenThatWait) {
  Event event;
  Root<int64_t> root(WaitInLoop(event));
  root.Start();
  for (int i = 0; i < kLoops; ++i) event.Fire(1);
  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), kLoops);
}

// Hands its coroutine over within the same run, as one that yields does.
struct Yield {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    internal::HandOver(waiter);
  }
  void await_resume() const {}
};
Task<int> YieldOnce() {
  co_await Yield();
  co_return 1;
}
Task<int64_t> YieldInLoop() {
  int64_t sum = 0;
  for (int i = 0; i < kLoops; ++i) sum += co_await YieldOnce();
  co_return sum;
}

TEST(TaskDepthTest, LoopOverChildrenThatYield) {
  EXPECT_EQ(RunToEnd(YieldInLoop()), kLoops);
}

Task<int> Descend(int depth, Event* event) {
  Counted local(1);
  if (depth == 1) {
    if (event != nullptr) co_await *event;
    co_return local.value();
  }
  co_return local.value() + co_await Descend(depth - 1, event);
}

TEST(TaskDepthTest, RecursionThatEndsAtOnce) {
  EXPECT_EQ(RunToEnd(Descend(kDepth, nullptr)), kDepth);
  EXPECT_EQ(Counted::living(), 0);
}

TEST(TaskDepthTest, RecursionThatWaitsAtItsEnd) {
  Event event;
  Root<int> root(Descend(kDepth, &event));
  EXPECT_FALSE(root.Start());
  EXPECT_EQ(Counted::living(), kDepth);

  event.Fire(1);

  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), kDepth);
  EXPECT_EQ(Counted::living(), 0);
}

TEST(TaskDepthTest, RecursionIsDestroyedWhereItWaits) {
  Event event;
  {
    Root<int> root(Descend(kDepth, &event));
    root.Start();
    EXPECT_EQ(Counted::living(), kDepth);
  }
  EXPECT_EQ(Counted::living(), 0);
  EXPECT_FALSE(event.has_waiter());
}

TEST(TaskDepthTest, RecursionIsDestroyedOnItsWayDown) {
  // At most the first few are started within each other; at whatever depth the
  // event is, the rest of the chain hangs together all the same.
  for (int depth = 1; depth < 3 * internal::CoroutineRun::kMaxNesting;
       ++depth) {
    Event event;
    {
      Root<int> root(Descend(depth, &event));
      root.Start();
      EXPECT_EQ(Counted::living(), depth);
    }
    EXPECT_EQ(Counted::living(), 0);
  }
}

}  // namespace
}  // namespace troupe
