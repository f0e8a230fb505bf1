// A Task is a coroutine that ends with one result: a handler, or a part of one,
// that waits without holding up a thread.
//
// Example:
//
//   Task<int> Count(Reader& reader) {
//     int lines = 0;
//     while (co_await reader.Next()) ++lines;
//     co_return lines;
//   }
//   Task<void> Report(Reader& reader, Writer& writer) {
//     const int lines = co_await Count(reader);
//     co_await writer.Write(lines);
//   }
//
// Order: calling the function makes the Task; its body begins when it is
// awaited, on the same thread. Nothing runs in parallel: see when_all.h.
// Ownership: a Task owns its coroutine. Destroying it, at whatever point it
// waits, destroys the coroutine's variables and what it waits for, once each:
// that is how a Task is cancelled. Must not happen while the coroutine runs.
// References among the function's parameters must outlive the Task.
// Memory: frames of up to 4 KiB come from the pool of the envelopes. The stack
// does not grow with the number of co_awaits, in a loop or in a recursion.
// Thread safety: one thread at a time, for a Task and all that it awaits.
// Errors: what the body throws is thrown by the co_await.
//
// Three things that g++ 12 gets wrong. Do not build an aggregate or a closure
// that has a destructor within an expression that awaits (bugs 101367 and
// 107288): it would be destroyed twice. Do not return a conditional
// expression that awaits: it does so whatever the condition. And do not await
// in the condition of an `if` or a loop in a coroutine that declares no
// variable: it never begins.
//
//   co_await Rename(Name{"a long one"});              // Destroys it twice.
//   Task<void> rename = Rename(Name{"a long one"});   // Right.
//   co_await std::move(rename);
//
//   co_return known ? 1 : co_await Ask();             // Calls Ask() anyway.
//   const int n = known ? 1 : co_await Ask();         // Right.
//   co_return n;
//
//   if (co_await Ask() == 1) co_return;               // Never begins.
//   const int answer = co_await Ask();                // Right.
//   if (answer == 1) co_return;
#ifndef TROUPE_ACTOR_TASK_H_
#define TROUPE_ACTOR_TASK_H_

#include <coroutine>
#include <type_traits>
#include <utility>

#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/task_promise.h"
#include "troupe/base/check.h"

namespace troupe {

namespace internal {
struct TaskAccess;
template <typename T>
class TaskAwaiter;
}  // namespace internal

// T: void, or a type that can be moved. It need not have a default.
template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;

  // A Task that was moved from can only be destroyed or assigned to.
  Task(Task&&) noexcept = default;
  Task& operator=(Task&&) noexcept = default;

  // Runs the coroutine; yields its result. Once: `co_await std::move(task)`.
  internal::TaskAwaiter<T> operator co_await() && {
    return internal::TaskAwaiter<T>(Take());
  }
  void operator co_await() & = delete;

  // For the runtime: who drives a Task from outside of any coroutine owns its
  // frame from then on.
  //
  //   auto root = task.Release();
  //   internal::RunCoroutine(root);
  //   if (root.done()) Use(root.promise().TakeResult());
  //   root.destroy();
  [[nodiscard]] std::coroutine_handle<promise_type> Release() {
    return std::coroutine_handle<promise_type>::from_promise(
        static_cast<promise_type&>(*Take().Release()));
  }

 private:
  friend promise_type;
  friend internal::TaskAccess;

  explicit Task(internal::Coroutine& coroutine) : coroutine_(coroutine) {}

  internal::OwnedCoroutine Take() {
    TROUPE_DCHECK(coroutine_.get() != nullptr, "a Task is awaited once");
    return std::move(coroutine_);
  }

  internal::OwnedCoroutine coroutine_;
};

namespace internal {

template <typename T>
inline constexpr bool kIsTask = false;
template <typename T>
inline constexpr bool kIsTask<Task<T>> = true;

// A coroutine that waits has to know for whom, for the sake of its end.
template <typename P>
Coroutine& WaiterOf(std::coroutine_handle<P> waiter) {
  static_assert(std::is_base_of_v<Coroutine, P>, "a Task is awaited in a Task");
  return waiter.promise();
}

template <typename T>
class TaskAwaiter {
 public:
  explicit TaskAwaiter(OwnedCoroutine child) : child_(std::move(child)) {}

  // The coroutine that waits knows where this lies.
  TaskAwaiter(const TaskAwaiter&) = delete;
  TaskAwaiter& operator=(const TaskAwaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> waiter) noexcept {
    return WaiterOf(waiter).Await(child_);
  }
  T await_resume() {
    Coroutine::GoOn(child_);
    return static_cast<TaskPromise<T>*>(child_.get())->TakeResult();
  }

 private:
  OwnedCoroutine child_;
};

// The coroutines of Tasks, for those that run several at once.
struct TaskAccess {
  template <typename T>
  static OwnedCoroutine& CoroutineOf(Task<T>& task) {
    TROUPE_DCHECK(task.coroutine_.get() != nullptr, "a Task is awaited once");
    return task.coroutine_;
  }
  // REQUIRES: it has ended.
  template <typename T>
  static T TakeResult(Task<T>& task) {
    return static_cast<TaskPromise<T>*>(task.coroutine_.get())->TakeResult();
  }
  // False: destroyed, or moved from.
  template <typename T>
  static bool Exists(const Task<T>& task) {
    return task.coroutine_.get() != nullptr;
  }
  template <typename T>
  static void Destroy(Task<T>& task) {
    task.coroutine_ = OwnedCoroutine();
  }
};

inline Task<void> TaskPromise<void>::get_return_object() noexcept {
  return Task<void>(*this);
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_TASK_H_
