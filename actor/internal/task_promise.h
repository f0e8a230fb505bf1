// The promise of a Task: where its result waits.
#ifndef TROUPE_ACTOR_INTERNAL_TASK_PROMISE_H_
#define TROUPE_ACTOR_INTERNAL_TASK_PROMISE_H_

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "troupe/actor/internal/coroutine.h"
#include "troupe/base/check.h"

namespace troupe {

template <typename T>
class Task;

namespace internal {

struct Nothing {};

// A value, or what was thrown instead. The same layout with and without
// exceptions.
template <typename T>
class Outcome {
 public:
  Outcome() {}  // NOLINT: nothing in the union, as state_ says.
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;
  ~Outcome() {
    if (state_ == State::kValue) std::destroy_at(&value_);
    if (state_ == State::kError) std::destroy_at(&error_);
  }

  template <typename... Args>
  void SetValue(Args&&... args) {
    std::construct_at(&value_, std::forward<Args>(args)...);
    state_ = State::kValue;
  }
  void SetError(std::exception_ptr error) noexcept {
    std::construct_at(&error_, std::move(error));
    state_ = State::kError;
  }

  // Throws what was thrown. REQUIRES: it has been set.
  T& Get() {
    if (state_ == State::kError) [[unlikely]] {
      std::rethrow_exception(error_);
    }
    TROUPE_DCHECK(state_ == State::kValue, "only an ended Task has a result");
    return value_;
  }

 private:
  enum class State : uint8_t { kNone, kValue, kError };

  union {
    T value_;
    std::exception_ptr error_;
  };
  State state_ = State::kNone;
};

// The end of a Task: its frame stays until its owner has taken the result.
struct EndOfTask {
  bool await_ready() const noexcept { return false; }
  template <typename P>
  void await_suspend(std::coroutine_handle<P> ended) const noexcept {
    ended.promise().End();
  }
  void await_resume() const noexcept {}
};

// What Tasks have in common, whatever their result.
template <typename T>
class TaskPromiseBase : public Coroutine {
 public:
  std::suspend_always initial_suspend() const noexcept { return {}; }
  EndOfTask final_suspend() const noexcept { return {}; }

#ifdef __cpp_exceptions
  void unhandled_exception() noexcept {
    outcome_.SetError(std::current_exception());
  }
#else
  void unhandled_exception() noexcept { std::terminate(); }
#endif

 protected:
  TaskPromiseBase() = default;

  Outcome<T> outcome_;
};

template <typename T>
class TaskPromise : public TaskPromiseBase<T> {
  static_assert(std::is_object_v<T> && std::is_move_constructible_v<T>,
                "the result of a Task is void or can be moved");
  // The promise must lie where Coroutine::Of() looks for it.
  static_assert(alignof(T) <= 2 * sizeof(void*),
                "a Task of an over-aligned type: return a pointer to it");

 public:
  Task<T> get_return_object() noexcept { return Task<T>(*this); }

  template <typename U = T>
  requires std::convertible_to<U, T>
  void return_value(U&& value) {
    this->outcome_.SetValue(std::forward<U>(value));
  }

  // Moves the result out, or throws what the coroutine threw.
  // REQUIRES: the coroutine has ended.
  T TakeResult() { return std::move(this->outcome_.Get()); }
};

template <>
class TaskPromise<void> : public TaskPromiseBase<Nothing> {
 public:
  inline Task<void> get_return_object() noexcept;
  void return_void() { outcome_.SetValue(); }
  void TakeResult() { outcome_.Get(); }
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_TASK_PROMISE_H_
