#include "troupe/actor/internal/coroutine.h"

#include <algorithm>
#include <array>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"

namespace troupe::internal {
namespace {

// Notes its name whenever it runs, twice.
Task<void> Note(std::string name, std::string& notes) {
  notes += name;
  co_await std::suspend_always();
  notes += name;
}

// A coroutine that is destroyed on demand.
struct Owned {
  explicit Owned(Task<void> task) : handle(task.Release()) {}
  Owned(Owned&& other) noexcept
      : handle(std::exchange(other.handle, nullptr)) {}
  ~Owned() { Destroy(); }
  void Destroy() {
    if (handle) std::exchange(handle, nullptr).destroy();
  }
  std::coroutine_handle<TaskPromise<void>> handle;
};

std::vector<Owned> MakeNotes(int count, std::string& notes) {
  std::vector<Owned> made;
  for (int i = 0; i < count; ++i) {
    made.emplace_back(Note(std::string(1, static_cast<char>('a' + i)), notes));
  }
  return made;
}

Task<void> Do(std::function<void()> body) {
  body();
  co_return;
}

TEST(CoroutineTest, HandedOverRunInOrder) {
  std::string notes;
  std::vector<Owned> others = MakeNotes(3, notes);

  RunToEnd(Do([&] {
    for (Owned& other : others) HandOver(other.handle);
    notes += "first ";
  }));
  EXPECT_EQ(notes, "first abc");
  EXPECT_FALSE(others[0].handle.done());

  RunToEnd(Do([&] {
    for (Owned& other : others) HandOver(other.handle);
  }));
  EXPECT_EQ(notes, "first abcabc");
  EXPECT_TRUE(others[2].handle.done());
}

TEST(CoroutineTest, HandedOverMayHandOver) {
  std::string notes;
  std::vector<Owned> others = MakeNotes(2, notes);
  Owned middle(Do([&] {
    HandOver(others[1].handle);
    notes += "-";
  }));

  RunToEnd(Do([&] {
    HandOver(middle.handle);
    HandOver(others[0].handle);
  }));

  EXPECT_EQ(notes, "-ab");
}

Task<void> AwaitBeforeOthers(Owned& other, std::string& notes) {
  HandOver(other.handle);
  co_await Do([&] { notes += "child "; });
  notes += "parent ";
}

TEST(CoroutineTest, ParentOfOneThatEndsAtOnceGoesOnBeforeTheQueue) {
  std::string notes;
  std::vector<Owned> others = MakeNotes(1, notes);
  RunToEnd(AwaitBeforeOthers(others[0], notes));
  EXPECT_EQ(notes, "child parent a");
}

TEST(CoroutineTest, InnerRunLeavesTheQueueOfTheOuter) {
  std::string notes;
  std::vector<Owned> others = MakeNotes(3, notes);

  RunToEnd(Do([&] {
    HandOver(others[0].handle);
    RunToEnd(Do([&] { HandOver(others[1].handle); }));
    notes += "inner ";
    HandOver(others[2].handle);
  }));

  EXPECT_EQ(notes, "binner ac");
  EXPECT_EQ(CoroutineRun::current(), nullptr);
}

// Destroys those of four queued coroutines that a bit stands for.
std::string NotesWithout(int destroyed, bool backwards, bool within_inner_run) {
  std::string notes;
  std::vector<Owned> others = MakeNotes(4, notes);
  const auto destroy = [&] {
    for (int k = 0; k < 4; ++k) {
      const int i = backwards ? 3 - k : k;
      if ((destroyed >> i & 1) != 0) others[i].Destroy();
    }
  };
  RunToEnd(Do([&] {
    for (Owned& other : others) HandOver(other.handle);
    if (within_inner_run) {
      RunToEnd(Do(destroy));
    } else {
      destroy();
    }
    // The end of the queue is where it should be.
    Owned last(Note("z", notes));
    HandOver(last.handle);
    last.Destroy();
  }));
  return notes;
}

TEST(CoroutineTest, DestroyedInTheQueueLeavesIt) {
  for (int destroyed = 0; destroyed < 16; ++destroyed) {
    std::string left;
    for (int i = 0; i < 4; ++i) {
      if ((destroyed >> i & 1) == 0) left += static_cast<char>('a' + i);
    }
    for (const bool backwards : {false, true}) {
      for (const bool within_inner_run : {false, true}) {
        EXPECT_EQ(NotesWithout(destroyed, backwards, within_inner_run), left);
      }
    }
  }
}

TEST(CoroutineTest, QueueTakesMoreAfterItsLastWasDestroyed) {
  std::string notes;
  std::vector<Owned> others = MakeNotes(3, notes);

  RunToEnd(Do([&] {
    HandOver(others[0].handle);
    HandOver(others[1].handle);
    others[1].Destroy();
    HandOver(others[2].handle);
  }));

  EXPECT_EQ(notes, "ac");
}

// Not inlined: a compiler that sees the whole life of a frame needs no memory.
[[gnu::noinline]] Task<void> MakeNote(std::string& notes) {
  return Note("", notes);
}

TEST(CoroutineTest, FrameIsInThePool) {
  // Last in, first out: the next of the same size gets the same memory.
  std::string notes;
  void* first = nullptr;
  {
    Owned owned(MakeNote(notes));
    first = owned.handle.address();
  }
  Owned owned(MakeNote(notes));
  EXPECT_EQ(owned.handle.address(), first);
}

Task<int> Big(Event& event) {
  std::array<char, 10'000> big;
  big.fill('x');
  co_await event;
  co_return static_cast<int>(std::count(big.begin(), big.end(), 'x'));
}

TEST(CoroutineTest, FrameMayBeLargerThanThePoolsBlocks) {
  Event event;
  Root<int> root(Big(event));
  root.Start();
  event.Fire();
  EXPECT_EQ(root.TakeResult(), 10'000);
}

[[gnu::noinline]] uintptr_t StackPointer() {
  return reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
}
Task<void> Descend(int depth, std::vector<uintptr_t>& stacks) {
  stacks.push_back(StackPointer());
  if (depth > 0) co_await Descend(depth - 1, stacks);
}

TEST(CoroutineTest, StackStopsGrowingWithTheDepth) {
  std::vector<uintptr_t> stacks;
  RunToEnd(Descend(10 * CoroutineRun::kMaxNesting, stacks));

  // What is handed over runs in a loop of its own, one frame deeper.
  constexpr int kNested = CoroutineRun::kMaxNesting + 1;
  const auto handed_over = stacks.begin() + kNested;
  const auto again = handed_over + kNested;
  const uintptr_t nested = *std::min_element(stacks.begin(), handed_over);
  EXPECT_LT(nested, stacks[0]);
  EXPECT_LT(nested - *std::min_element(handed_over, again), stacks[0] - nested);
  EXPECT_EQ(*std::min_element(handed_over, again),
            *std::min_element(again, stacks.end()));
}

}  // namespace
}  // namespace troupe::internal
