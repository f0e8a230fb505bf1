#include "troupe/actor/task.h"

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/task_testing.h"

namespace troupe {
namespace {

Task<int> Give(int value) { co_return value; }
Task<int> WaitFor(Event& event) { co_return co_await event; }

TEST(TaskTest, BodyBeginsWhenItIsRun) {
  bool began = false;
  auto body = [&began]() -> Task<void> {
    began = true;
    co_return;
  };
  Root<void> root(body());
  EXPECT_FALSE(began);

  EXPECT_TRUE(root.Start());

  EXPECT_TRUE(began);
}

Task<int> Add() {
  const int first = co_await Give(1);
  Task<int> second = Give(2);
  co_return first + co_await std::move(second);
}

TEST(TaskTest, AwaitYieldsTheResultOfTheChild) {
  EXPECT_EQ(RunToEnd(Add()), 3);
}

TEST(TaskTest, SuspendedChildHoldsUpItsParent) {
  Event event;
  int after = 0;
  auto parent = [&]() -> Task<int> {
    const int value = co_await WaitFor(event);
    ++after;
    co_return value + co_await WaitFor(event);
  };
  Root<int> root(parent());
  EXPECT_FALSE(root.Start());
  EXPECT_EQ(after, 0);

  event.Fire(40);
  EXPECT_EQ(after, 1);
  EXPECT_FALSE(root.done());
  event.Fire(2);

  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), 42);
}

// Without a default, and not to be copied.
struct Strange {
  explicit Strange(int v) : value(std::make_unique<int>(v)) {}
  std::unique_ptr<int> value;
};

Task<Strange> GiveStrange(Event* event) {
  if (event != nullptr) co_await *event;
  co_return Strange(7);
}
Task<Strange> PassStrange(Event* event) {
  co_return co_await GiveStrange(event);
}

TEST(TaskTest, ResultNeedsNoDefaultAndNoCopy) {
  EXPECT_EQ(*RunToEnd(PassStrange(nullptr)).value, 7);

  Event event;
  Root<Strange> root(PassStrange(&event));
  root.Start();
  event.Fire();
  ASSERT_TRUE(root.done());
  EXPECT_EQ(*root.TakeResult().value, 7);
}

Task<std::optional<std::string>> GiveText() { co_return "converted"; }

TEST(TaskTest, ResultIsConverted) {
  EXPECT_EQ(RunToEnd(GiveText()), "converted");
}

TEST(TaskTest, TaskIsMovedAndNotCopied) {
  static_assert(std::is_nothrow_move_constructible_v<Task<int>>);
  static_assert(std::is_nothrow_move_assignable_v<Task<int>>);
  static_assert(!std::is_copy_constructible_v<Task<int>>);
  static_assert(sizeof(Task<int>) == sizeof(void*));

  std::vector<Task<int>> tasks;
  for (int i = 0; i < 10; ++i) tasks.push_back(Give(i));
  tasks[0] = std::move(tasks[9]);

  EXPECT_EQ(RunToEnd(std::move(tasks[0])), 9);
}

Task<Counted> Hold(Counted parameter, Event* event) {
  Counted local(2);
  if (event != nullptr) co_await *event;
  co_return Counted(parameter.value() + local.value());
}
Task<int> HoldTwice(Event* event) {
  Counted local(1);
  const int first = (co_await Hold(Counted(1), event)).value();
  const int second = (co_await Hold(local, event)).value();
  co_return first + second;
}

TEST(TaskTest, EverythingIsDestroyedOnceWhenItEnds) {
  EXPECT_EQ(RunToEnd(HoldTwice(nullptr)), 6);
  EXPECT_EQ(Counted::living(), 0);

  Event event;
  {
    Root<int> root(HoldTwice(&event));
    root.Start();
    event.Fire();
    event.Fire();
    EXPECT_TRUE(root.done());
    EXPECT_EQ(Counted::living(), 0);
    EXPECT_EQ(root.TakeResult(), 6);
  }
  EXPECT_EQ(Counted::living(), 0);
}

TEST(TaskTest, EverythingIsDestroyedOnceWhereverItWaits) {
  // Before the first, at each, and after the last suspension.
  for (int suspensions = 0; suspensions <= 3; ++suspensions) {
    Event event;
    {
      Root<int> root(HoldTwice(&event));
      if (suspensions > 0) root.Start();
      for (int i = 1; i < suspensions; ++i) event.Fire();
      EXPECT_EQ(root.done(), suspensions == 3);
      EXPECT_EQ(event.has_waiter(), !root.done() && suspensions > 0);
    }
    EXPECT_EQ(Counted::living(), 0);
    EXPECT_FALSE(event.has_waiter()) << "the wait was not cancelled";
  }
}

TEST(TaskTest, TaskThatIsNeverRunDestroysItsParameters) {
  {
    const Task<Counted> task = Hold(Counted(1), nullptr);
    EXPECT_EQ(Counted::living(), 1);
  }
  EXPECT_EQ(Counted::living(), 0);
}

TEST(TaskTest, AssignmentDestroysTheOldTask) {
  {
    Task<Counted> task = Hold(Counted(1), nullptr);
    task = Hold(Counted(2), nullptr);
    EXPECT_EQ(Counted::living(), 1);
    Task<Counted>& same = task;
    task = std::move(same);
    EXPECT_EQ(RunToEnd(std::move(task)).value(), 4);
  }
  EXPECT_EQ(Counted::living(), 0);
}

Task<void> NoteEnd(std::string name, Event& event, std::string& notes) {
  struct Note {
    ~Note() { notes += name; }
    const std::string& name;
    std::string& notes;
  } note{name, notes};
  co_await event;
}
Task<void> Nest(std::string& notes, Event& event) {
  struct Note {
    ~Note() { notes += "parent"; }
    std::string& notes;
  } note{notes};
  co_await NoteEnd("child ", event, notes);
}

TEST(TaskTest, ChildIsDestroyedBeforeItsParent) {
  Event event;
  std::string notes;
  {
    Root<void> root(Nest(notes, event));
    root.Start();
  }
  EXPECT_EQ(notes, "child parent");
}

// Runs another coroutine to its first suspension, as a handler may that sends
// to an actor of its own worker.
Task<int> RunWithin(Event& inner_event, Event& event, bool& inner_ended) {
  Root<int> inner(WaitFor(inner_event));
  inner.Start();
  const int value = co_await WaitFor(event);
  inner_event.Fire(1);
  inner_ended = inner.done();
  co_return value + co_await Give(inner.TakeResult());
}
Task<int> RunDeeper(Event& inner_event, Event& event, bool& inner_ended) {
  co_return co_await RunWithin(inner_event, event, inner_ended) + 1;
}

TEST(TaskTest, CoroutineMayRunAnotherToItsSuspension) {
  Event inner_event;
  Event event;
  bool inner_ended = false;
  Root<int> root(RunDeeper(inner_event, event, inner_ended));
  EXPECT_FALSE(root.Start());

  event.Fire(10);

  EXPECT_TRUE(inner_ended);
  ASSERT_TRUE(root.done());
  EXPECT_EQ(root.TakeResult(), 12);
}

// Lets its event fire while it is being waited for.
struct FiresAtOnce {
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) {
    internal::RunCoroutine(waiter);
  }
  void await_resume() const {}
};
Task<int> WaitForImpatient() {
  Counted local(5);
  co_await FiresAtOnce();
  co_return local.value();
}
Task<int> WaitTwice() {
  const int first = co_await WaitForImpatient();
  co_return first + co_await WaitForImpatient();
}

TEST(TaskTest, WaiterMayBeResumedBeforeItsSuspensionReturns) {
  EXPECT_EQ(RunToEnd(WaitTwice()), 10);
  EXPECT_EQ(Counted::living(), 0);
}

}  // namespace
}  // namespace troupe
