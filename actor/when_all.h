// Waits for several things at once, until all have ended.
//
// Example:
//
//   auto [price, stock] = co_await WhenAll(Price(item), Stock(item));
//
//   std::vector<Task<int>> counts;
//   for (Reader& reader : readers) counts.push_back(Count(reader));
//   std::vector<int> lines = co_await WhenAll(std::move(counts));
//
// Takes Tasks, and whatever else can be awaited: what has a name is referred
// to, a temporary is taken over. Yields a tuple, or for a vector a vector, of
// the results in the order given; of what yields nothing, std::monostate.
//
// Order: begun one after the other, in the order given, each as far as its
// first wait. They end in whatever order.
// Ownership: as of a Task: destroying the one that waits destroys all.
// Memory: only the vectors are allocated on the heap. Destroying one WhenAll
// within the next and so on, unfinished, takes stack for each.
// Thread safety: one thread at a time; nothing runs in parallel, only waits do.
// Errors: when all have ended, what the first of them in the order given threw,
// if any did. The other results are lost then.
#ifndef TROUPE_ACTOR_WHEN_ALL_H_
#define TROUPE_ACTOR_WHEN_ALL_H_

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "troupe/actor/internal/as_task.h"
#include "troupe/actor/internal/joined_tasks.h"
#include "troupe/actor/task.h"

namespace troupe {

namespace internal {

template <typename... Ts>
class [[nodiscard]] AllOfTuple : public JoinedTasks<std::tuple<Task<Ts>...>> {
 public:
  explicit AllOfTuple(Task<Ts>... tasks)
      : JoinedTasks<std::tuple<Task<Ts>...>>({std::move(tasks)...},
                                             sizeof...(Ts)) {}

  std::tuple<ValueOf<Ts>...> await_resume() {
    return std::apply(
        [](Task<Ts>&... task) {
          // In braces: from left to right, the first that threw throws.
          return std::tuple<ValueOf<Ts>...>{TakeValue(task)...};
        },
        this->tasks());
  }
};

template <typename T>
class [[nodiscard]] AllOfVector : public JoinedTasks<std::vector<Task<T>>> {
 public:
  explicit AllOfVector(std::vector<Task<T>> tasks)
      : AllOfVector(std::move(tasks), tasks.size()) {}

  std::vector<ValueOf<T>> await_resume() {
    std::vector<ValueOf<T>> results;
    results.reserve(this->tasks().size());
    for (Task<T>& task : this->tasks()) results.push_back(TakeValue(task));
    return results;
  }

 private:
  AllOfVector(std::vector<Task<T>>&& tasks, size_t count)
      : JoinedTasks<std::vector<Task<T>>>(std::move(tasks), count) {}
};

}  // namespace internal

// Yields std::tuple<...>.
template <typename... As>
requires(!internal::kIsVector<std::remove_cvref_t<As>> &&
         ...) auto WhenAll(As&&... awaitables) {
  return internal::AllOfTuple(
      internal::AsTask(std::forward<As>(awaitables))...);
}

// Yields std::vector<...>.
template <typename A>
auto WhenAll(std::vector<A> awaitables) {
  return internal::AllOfVector(internal::AsTasks(std::move(awaitables)));
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_WHEN_ALL_H_
