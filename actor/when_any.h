// Waits for several things at once, until the first of them has ended.
//
// Example:
//
//   auto first = co_await WhenAny(Ask(server), Sleep(absl::Seconds(1)));
//   if (first.index() == 1) co_return absl::DeadlineExceededError("no answer");
//   Use(std::get<0>(first));
//
//   auto [index, answer] = co_await WhenAny(std::move(askings));
//
// Takes Tasks, and whatever else can be awaited: what has a name is referred
// to, a temporary is taken over. Yields a std::variant, whose index says which
// it was, or for a vector an index and a value; of what yields nothing,
// std::monostate.
//
// Order: begun one after the other, in the order given, each as far as its
// first wait. When one ends on the way, those behind it are not begun.
// Ownership: as of a Task: destroying the one that waits destroys all. The
// others are destroyed, and so cancelled, before the one that waits goes on.
// Thread safety: one thread at a time; nothing runs in parallel, only waits do.
// Errors: what the first threw, if it ended so.
#ifndef TROUPE_ACTOR_WHEN_ANY_H_
#define TROUPE_ACTOR_WHEN_ANY_H_

#include <cstddef>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "troupe/actor/internal/as_task.h"
#include "troupe/actor/internal/joined_tasks.h"
#include "troupe/actor/task.h"
#include "troupe/base/check.h"

namespace troupe {

// The first of a vector.
template <typename T>
struct FirstOf {
  size_t index;
  T value;
};

namespace internal {

template <typename... Ts>
class [[nodiscard]] AnyOfTuple : public JoinedTasks<std::tuple<Task<Ts>...>> {
 public:
  using Result = std::variant<ValueOf<Ts>...>;

  explicit AnyOfTuple(Task<Ts>... tasks)
      : JoinedTasks<std::tuple<Task<Ts>...>>({std::move(tasks)...}, 1) {}

  Result await_resume() {
    this->DestroyOthers();
    return Take(std::index_sequence_for<Ts...>());
  }

 private:
  template <size_t... kIndices>
  Result Take(std::index_sequence<kIndices...>) {
    std::optional<Result> result;
    (TakeIfLeft<kIndices>(result), ...);
    return *std::move(result);
  }
  template <size_t kIndex>
  void TakeIfLeft(std::optional<Result>& result) {
    auto& task = std::get<kIndex>(this->tasks());
    if (TaskAccess::Exists(task)) {
      result.emplace(std::in_place_index<kIndex>, TakeValue(task));
    }
  }
};

template <typename T>
class [[nodiscard]] AnyOfVector : public JoinedTasks<std::vector<Task<T>>> {
 public:
  explicit AnyOfVector(std::vector<Task<T>> tasks)
      : JoinedTasks<std::vector<Task<T>>>(std::move(tasks), 1) {
    TROUPE_CHECK(!this->tasks().empty(), "the first of nothing never ends");
  }

  FirstOf<ValueOf<T>> await_resume() {
    this->DestroyOthers();
    size_t first = 0;
    while (!TaskAccess::Exists(this->tasks()[first])) ++first;
    return {first, TakeValue(this->tasks()[first])};
  }
};

}  // namespace internal

// Yields std::variant<...>.
template <typename... As>
requires(!internal::kIsVector<std::remove_cvref_t<As>> &&
         ...) auto WhenAny(As&&... awaitables) {
  static_assert(sizeof...(As) > 0, "the first of nothing never ends");
  return internal::AnyOfTuple(
      internal::AsTask(std::forward<As>(awaitables))...);
}

// Yields FirstOf<...>. REQUIRES: not empty.
template <typename A>
auto WhenAny(std::vector<A> awaitables) {
  return internal::AnyOfVector(internal::AsTasks(std::move(awaitables)));
}

}  // namespace troupe

#endif  // TROUPE_ACTOR_WHEN_ANY_H_
