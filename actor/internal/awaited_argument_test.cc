#include "troupe/actor/internal/awaited_argument.h"

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "troupe/actor/internal/task_testing.h"
#include "troupe/actor/task.h"

namespace troupe::internal {
namespace {

// Counts, and holds nothing: so that even what is destroyed twice does no harm.
struct Tally {
  Tally() { ++living; }
  Tally(const Tally&) { ++living; }
  Tally(Tally&&) noexcept { ++living; }
  ~Tally() { --living; }
  inline static int living = 0;
};

struct Aggregate {
  Tally tally;
  int number = 0;
};
struct Derived : Tally {};
struct Trivial {
  int number;
};
class WithConstructor {
 public:
  explicit WithConstructor(int number) : number_(number) {}
  int number() const { return number_; }

 private:
  Tally tally_;
  int number_;
};
template <typename F>
class Wrapper {
 public:
  explicit Wrapper(F f) : f_(std::move(f)) {}

 private:
  F f_;
  Tally tally_;
};

// Living ones when `form` has ended, or was destroyed where it waits.
int LeftBy(Task<int> (*form)(Event*), bool waits, bool ends) {
  Tally::living = 0;
  Event event;
  {
    Root<int> root(form(waits ? &event : nullptr));
    root.Start();
    if (waits && ends) event.Fire();
    EXPECT_EQ(root.done(), !waits || ends);
  }
  return Tally::living;
}

template <typename T>
Task<int> TakeValue(T value, Event* event) {
  if (event != nullptr) co_await *event;
  (void)value;
  co_return 1;
}

// Deduces T as those do that ask.
template <typename T>
constexpr bool Asks(T&&) {
  return kDestroyedTwiceWhenAwaited<T>;
}

template <typename T>
auto ClosureInTemplate(T value) {
  return [value, tally = Tally()] { return value; };
}
// Built here, not in the expression that awaits: of closures in there, those
// who only see what they were made into know nothing.
std::function<void()> MakeFunction() {
  return [tally = Tally()] { (void)tally; };
}
auto MakeWrapper() {
  return Wrapper([tally = Tally()] { (void)tally; });
}

struct Form {
  const char* argument;
  Task<int> (*run)(Event*);
  bool (*refused)();
};

// A coroutine that awaits with `argument` in the expression, and whether it
// would be refused.
#define TROUPE_FORM(argument)                          \
  MakeForm(                                            \
      #argument,                                       \
      [](Event* event) -> Task<int> {                  \
        [[maybe_unused]] Tally tally;                  \
        co_return co_await TakeValue(argument, event); \
      },                                               \
      [] {                                             \
        [[maybe_unused]] Tally tally;                  \
        return Asks(argument);                         \
      })
Form MakeForm(const char* argument, Task<int> (*run)(Event*),
              bool (*refused)()) {
  return {argument, run, refused};
}

std::vector<Form> Forms() {
  // Without std::array, which g++ 12 does not compile here.
  return {
      TROUPE_FORM(Tally()),
      TROUPE_FORM(WithConstructor(1)),
      TROUPE_FORM(Aggregate{}),
      TROUPE_FORM((Aggregate{{}, 3})),
      TROUPE_FORM(Derived{}),
      TROUPE_FORM(Trivial{1}),
      TROUPE_FORM((std::pair<Tally, int>(Tally(), 1))),
      TROUPE_FORM((std::tuple<Tally, Tally>(Tally(), Tally()))),
      TROUPE_FORM(std::vector<Tally>(3)),
      TROUPE_FORM(std::make_unique<Aggregate>()),
      TROUPE_FORM(([tally] { (void)tally; })),
      TROUPE_FORM(([tally]() mutable -> int { return Tally::living; })),
      TROUPE_FORM(([tally](auto value) { return value; })),
      TROUPE_FORM(([&tally] { (void)tally; })),
      TROUPE_FORM(([] { return 1; })),
      TROUPE_FORM(ClosureInTemplate(1)),
      TROUPE_FORM(MakeFunction()),
      TROUPE_FORM(MakeWrapper()),
  };
}

// The one question that counts: what the trait lets pass is destroyed once.
TEST(AwaitedArgumentTest, WhatIsNotRefusedIsDestroyedOnce) {
  for (const Form& form : Forms()) {
    if (form.refused()) continue;
    EXPECT_EQ(LeftBy(form.run, false, true), 0) << form.argument;
    EXPECT_EQ(LeftBy(form.run, true, true), 0) << form.argument;
    EXPECT_EQ(LeftBy(form.run, true, false), 0) << form.argument;
  }
}

// Whether T is refused by the compilers that have the bug, and by no other.
template <typename T>
constexpr bool IsRefused() {
#ifdef TROUPE_DESTROYS_SOME_ARGUMENTS_TWICE
  return kDestroyedTwiceWhenAwaited<T>;
#else
  return !kDestroyedTwiceWhenAwaited<T>;
#endif
}

TEST(AwaitedArgumentTest, AggregatesAndClosuresWithDestructorsAreRefused) {
  Tally tally;
  auto closure = [tally] { (void)tally; };
  auto generic = [tally](auto value) { return value; };
  auto in_template = ClosureInTemplate(std::pair<int, char>());
  static_assert(IsRefused<Aggregate>());
  static_assert(IsRefused<const Aggregate>());
  static_assert(IsRefused<Derived>());
  static_assert(IsRefused<std::array<std::string, 2>>());
  static_assert(IsRefused<decltype(closure)>());
  static_assert(IsRefused<const decltype(closure)>());
  static_assert(IsRefused<decltype(generic)>());
  static_assert(IsRefused<decltype(in_template)>());
}

TEST(AwaitedArgumentTest, WhatHasAConstructorOrNoDestructorPasses) {
  int number = 0;
  auto closure = [text = std::string()] { return text; };
  auto trivial = [&number] { return number; };
  static_assert(!kDestroyedTwiceWhenAwaited<int>);
  static_assert(!kDestroyedTwiceWhenAwaited<Trivial>);
  static_assert(!kDestroyedTwiceWhenAwaited<std::array<int, 2>>);
  static_assert(!kDestroyedTwiceWhenAwaited<decltype(trivial)>);
  static_assert(!kDestroyedTwiceWhenAwaited<WithConstructor>);
  static_assert(!kDestroyedTwiceWhenAwaited<std::string>);
  static_assert(!kDestroyedTwiceWhenAwaited<std::pair<std::string, int>>);
  static_assert(!kDestroyedTwiceWhenAwaited<std::function<void()>>);
  static_assert(!kDestroyedTwiceWhenAwaited<Wrapper<decltype(closure)>>);
  static_assert(!kDestroyedTwiceWhenAwaited<Task<Aggregate>>);
}

TEST(AwaitedArgumentTest, WhatHasANamePasses) {
  auto closure = [text = std::string()] { return text; };
  static_assert(!kDestroyedTwiceWhenAwaited<Aggregate&>);
  static_assert(!kDestroyedTwiceWhenAwaited<const Aggregate&>);
  static_assert(!kDestroyedTwiceWhenAwaited<decltype(closure)&>);
}

}  // namespace
}  // namespace troupe::internal
