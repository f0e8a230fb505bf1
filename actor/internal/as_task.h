// Makes a Task of whatever can be awaited, and a value of every result.
#ifndef TROUPE_ACTOR_INTERNAL_AS_TASK_H_
#define TROUPE_ACTOR_INTERNAL_AS_TASK_H_

#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/task.h"

namespace troupe::internal {

// What `co_await` calls await_resume() of.
template <typename A>
decltype(auto) AwaiterOf(A&& awaitable) {
  if constexpr (requires { std::forward<A>(awaitable).operator co_await(); }) {
    return std::forward<A>(awaitable).operator co_await();
  } else if constexpr (requires {
                         operator co_await(std::forward<A>(awaitable));
                       }) {
    return operator co_await(std::forward<A>(awaitable));
  } else {
    return std::forward<A>(awaitable);
  }
}

template <typename A>
concept Awaitable = requires {
  AwaiterOf(std::declval<A>()).await_ready();
  AwaiterOf(std::declval<A>()).await_resume();
};

// What `co_await` yields, as a value.
template <typename A>
using AwaitedType =
    std::remove_cvref_t<decltype(AwaiterOf(std::declval<A>()).await_resume())>;

template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;

// Owns what it is given as a temporary; refers to what has a name.
template <typename A>
Task<AwaitedType<A>> AwaitInTask(A awaitable) {
  co_return co_await std::forward<A>(awaitable);
}

// A Task that awaits `awaitable`: a Task is one already.
template <typename A>
auto AsTask(A&& awaitable) {
  static_assert(Awaitable<A> || kIsTask<std::remove_cvref_t<A>>,
                "this cannot be awaited");
  static_assert(!kDestroyedTwiceWhenAwaited<A>,
                "GCC before 13 would destroy this awaitable twice: give it a "
                "name, and pass that");
  if constexpr (kIsTask<std::remove_cvref_t<A>>) {
    static_assert(std::is_same_v<A, std::remove_cvref_t<A>>,
                  "a Task is given away: std::move(task)");
    return std::forward<A>(awaitable);
  } else {
    return AwaitInTask<A>(std::forward<A>(awaitable));
  }
}

template <typename A>
auto AsTasks(std::vector<A> awaitables) {
  if constexpr (kIsTask<A>) {
    return awaitables;
  } else {
    std::vector<Task<AwaitedType<A>>> tasks;
    tasks.reserve(awaitables.size());
    for (A& awaitable : awaitables) {
      tasks.push_back(AsTask(std::move(awaitable)));
    }
    return tasks;
  }
}

// Nothing, as a value.
template <typename T>
using ValueOf = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// REQUIRES: `task` has ended.
template <typename T>
ValueOf<T> TakeValue(Task<T>& task) {
  if constexpr (std::is_void_v<T>) {
    TaskAccess::TakeResult(task);
    return {};
  } else {
    return TaskAccess::TakeResult(task);
  }
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_AS_TASK_H_
