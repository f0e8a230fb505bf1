// That everything in and around a coroutine is destroyed exactly once, in the
// expressions in which compilers got it wrong. Built at several levels of
// optimization, because a bug may show at one only.
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"

namespace troupe {
namespace {

// What a message looks like: no constructor, members with destructors.
struct Message {
  Counted first;
  std::string text;
  Counted second;
};

Message MakeMessage() {
  return {Counted(1), "a text too long to be inline", Counted(2)};
}

// Waits if there is an event, before the parameters are used.
Task<int> TakeClass(Counted counted, Event* event) {
  if (event != nullptr) co_await *event;
  co_return counted.value();
}
Task<int> TakeMessage(Message message, Event* event) {
  if (event != nullptr) co_await *event;
  co_return message.first.value() + static_cast<int>(message.text.size());
}
Task<int> TakeReference(const Counted& counted, Event* event) {
  if (event != nullptr) co_await *event;
  co_return counted.value();
}
template <typename F>
Task<int> TakeFunction(F function, Event* event) {
  if (event != nullptr) co_await *event;
  co_return function();
}

Task<int> PassClass(Event* event) {
  co_return co_await TakeClass(Counted(1), event);
}
Task<int> PassNamedMessage(Event* event) {
  const Message message = MakeMessage();
  co_return co_await TakeMessage(message, event);
}
Task<int> PassMovedMessage(Event* event) {
  Message message = MakeMessage();
  co_return co_await TakeMessage(std::move(message), event);
}
Task<int> PassMessageToNamedTask(Event* event) {
  Task<int> task = TakeMessage(MakeMessage(), event);
  co_return co_await std::move(task);
}
Task<int> PassNamedClosure(Event* event) {
  const Counted counted(1);
  const auto closure = [counted] { return counted.value(); };
  co_return co_await TakeFunction(closure, event);
}
Task<int> PassMovedClosure(Event* event) {
  const Counted counted(1);
  auto closure = [counted] { return counted.value(); };
  co_return co_await TakeFunction(std::move(closure), event);
}
Task<int> AwaitNamedClosure(Event* event) {
  const Counted counted(1);
  const auto closure = [counted, event]() -> Task<int> {
    if (event != nullptr) co_await *event;
    co_return counted.value();
  };
  co_return co_await closure();
}
Task<int> PassTemporaryByReference(Event* event) {
  co_return co_await TakeReference(Counted(1), event);
}
Task<int> AwaitTwiceInOneExpression(Event* event) {
  co_return co_await TakeReference(Counted(1), event) +
      co_await TakeClass(Counted(2), event);
}
Task<int> AwaitInConditions(Event* event) {
  int sum = 0;
  if (co_await TakeClass(Counted(1), event) == 1 &&
      co_await TakeReference(Counted(2), event) == 2) {
    sum += 1;
  }
  while (sum < co_await TakeClass(Counted(3), event)) ++sum;
  switch (co_await TakeClass(Counted(4), event)) {
    case 4: {
      const Counted local(5);
      sum += co_await TakeClass(local, event);
      break;
    }
    default:
      break;
  }
  co_return sum;
}
Task<int> AwaitInBranches(Event* event) {
  const int first =
      event != nullptr ? co_await TakeClass(Counted(1), event) : 1;
  const bool second =
      event == nullptr || co_await TakeClass(Counted(1), event) == 1;
  co_return first + (second ? 1 : 0);
}
Task<int> AwaitInArguments(Event* event) {
  co_return co_await TakeClass(Counted(co_await TakeClass(Counted(1), event)),
                               event);
}
Task<int> AwaitInInitializer(Event* event) {
  const std::vector<int> values(3, co_await TakeClass(Counted(1), event));
  const Counted counted(co_await TakeClass(Counted(2), event));
  co_return static_cast<int>(values.size()) + counted.value();
}

// The results of a co_await, and of a plain function, are no such temporaries
// as the compilers' bugs are about.
Task<Message> GiveMessage(Event* event) {
  if (event != nullptr) co_await *event;
  co_return MakeMessage();
}
int Use(Message message) { return message.second.value(); }
Task<int> UseMemberOfResult(Event* event) {
  co_return (co_await GiveMessage(event)).first.value() +
      (co_await GiveMessage(event)).second.value();
}
Task<int> UseNamedResult(Event* event) {
  const Message message = co_await GiveMessage(event);
  const Message& longer = co_await GiveMessage(event);
  auto [first, text, second] = co_await GiveMessage(event);
  co_return message.first.value() + longer.second.value() + first.value();
}
Task<int> PassResult(Event* event) {
  const int used = Use(co_await GiveMessage(event));
  co_return used + co_await TakeMessage(co_await GiveMessage(event), event);
}
Task<int> DropResult(Event* event) {
  co_await GiveMessage(event);
  co_return 1;
}
Task<int> PassMadeByFunction(Event* event) {
  co_return co_await TakeMessage(MakeMessage(), event);
}

struct Form {
  const char* name;
  Task<int> (*run)(Event*);
};
constexpr Form kForms[] = {
    {"PassClass", PassClass},
    {"PassNamedMessage", PassNamedMessage},
    {"PassMovedMessage", PassMovedMessage},
    {"PassMessageToNamedTask", PassMessageToNamedTask},
    {"PassNamedClosure", PassNamedClosure},
    {"PassMovedClosure", PassMovedClosure},
    {"AwaitNamedClosure", AwaitNamedClosure},
    {"PassTemporaryByReference", PassTemporaryByReference},
    {"AwaitTwiceInOneExpression", AwaitTwiceInOneExpression},
    {"AwaitInConditions", AwaitInConditions},
    {"AwaitInBranches", AwaitInBranches},
    {"AwaitInArguments", AwaitInArguments},
    {"AwaitInInitializer", AwaitInInitializer},
    {"UseMemberOfResult", UseMemberOfResult},
    {"UseNamedResult", UseNamedResult},
    {"PassResult", PassResult},
    {"DropResult", DropResult},
    {"PassMadeByFunction", PassMadeByFunction},
};

TEST(TaskLifetimeTest, NothingIsLeftOfWhatNeverWaits) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    RunToEnd(form.run(nullptr));
    EXPECT_EQ(Counted::living(), 0);
  }
}

TEST(TaskLifetimeTest, NothingIsLeftWhereverItIsDestroyed) {
  for (const Form& form : kForms) {
    SCOPED_TRACE(form.name);
    bool ended = false;
    for (int resumptions = -1; !ended; ++resumptions) {
      Event event;
      {
        Root<int> root(form.run(&event));
        if (resumptions >= 0) root.Start();
        for (int i = 0; i < resumptions; ++i) event.Fire();
        ended = root.done();
      }
      EXPECT_EQ(Counted::living(), 0) << "after " << resumptions;
      EXPECT_FALSE(event.has_waiter());
    }
  }
}

TEST(TaskLifetimeTest, NothingIsLeftWhenTheCoroutineIsNotRun) {
  for (const Form& form : kForms) {
    { const Task<int> task = form.run(nullptr); }
    EXPECT_EQ(Counted::living(), 0) << form.name;
  }
  { const Task<int> task = TakeMessage(MakeMessage(), nullptr); }
  EXPECT_EQ(Counted::living(), 0);
}

}  // namespace
}  // namespace troupe
