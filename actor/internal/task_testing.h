// What tests of coroutines have in common: who drives them, what they wait for,
// and what counts that everything is destroyed once.
#ifndef TROUPE_ACTOR_INTERNAL_TASK_TESTING_H_
#define TROUPE_ACTOR_INTERNAL_TASK_TESTING_H_

#include <coroutine>
#include <utility>

#include "gtest/gtest.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/task.h"

namespace troupe {

// Drives a Task as the runtime does.
template <typename T>
class Root {
 public:
  explicit Root(Task<T> task) : root_(task.Release()) {}
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  ~Root() { root_.destroy(); }

  // To its first suspension. Returns whether it has ended.
  bool Start() {
    internal::RunCoroutine(root_);
    return done();
  }
  bool done() const { return root_.done(); }
  T TakeResult() { return root_.promise().TakeResult(); }

 private:
  std::coroutine_handle<internal::TaskPromise<T>> root_;
};

// Runs a Task that never waits for anything from outside.
template <typename T>
T RunToEnd(Task<T> task) {
  Root<T> root(std::move(task));
  EXPECT_TRUE(root.Start());
  return root.TakeResult();
}

// Something that one coroutine at a time waits for.
class Event {
 public:
  class Awaiter {
   public:
    explicit Awaiter(Event& event) : event_(event) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    // Goes with the frame that waits: that is all there is to cancel.
    ~Awaiter() { event_.waiter_ = nullptr; }

    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiter) {
      event_.waiter_ = waiter;
    }
    int await_resume() const { return event_.value_; }

   private:
    Event& event_;
  };

  Event() = default;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  Awaiter operator co_await() { return Awaiter(*this); }

  bool has_waiter() const { return waiter_ != nullptr; }

  // Resumes the waiter, which gets `value`.
  void Fire(int value = 0) {
    value_ = value;
    internal::RunCoroutine(std::exchange(waiter_, nullptr));
  }

 private:
  std::coroutine_handle<> waiter_;
  int value_ = 0;
};

// Counts the objects that live. One that is destroyed twice, or that nobody
// constructed, is noticed.
class Counted {
 public:
  explicit Counted(int value = 0) : value_(value), self_(this) { ++living_; }
  Counted(const Counted& other) : Counted(other.value_) {}
  Counted(Counted&& other) noexcept : Counted(other.value_) {}
  Counted& operator=(const Counted& other) {
    value_ = other.value_;
    return *this;
  }
  ~Counted() {
    EXPECT_EQ(self_, this) << "destroyed twice, or copied bit by bit";
    self_ = nullptr;
    --living_;
  }

  int value() const { return value_; }
  static int living() { return living_; }

 private:
  inline static int living_ = 0;
  int value_;
  const void* self_;
};

}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_TASK_TESTING_H_
