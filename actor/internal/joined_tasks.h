// What WhenAll and WhenAny have in common: several Tasks and the wait for them.
#ifndef TROUPE_ACTOR_INTERNAL_JOINED_TASKS_H_
#define TROUPE_ACTOR_INTERNAL_JOINED_TASKS_H_

#include <coroutine>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "troupe/actor/internal/join.h"
#include "troupe/actor/task.h"

namespace troupe::internal {

template <typename F, typename... Ts>
void ForEachTask(std::tuple<Task<Ts>...>& tasks, const F& function) {
  std::apply([&](Task<Ts>&... task) { (function(task), ...); }, tasks);
}
template <typename F, typename T>
void ForEachTask(std::vector<Task<T>>& tasks, const F& function) {
  for (Task<T>& task : tasks) function(task);
}

// An awaiter but for its await_resume(). `Tasks`: a tuple or vector of them.
template <typename Tasks>
class JoinedTasks {
 public:
  bool await_ready() const noexcept { return needed_ == 0; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> waiter) noexcept {
    join_.Begin(WaiterOf(waiter), needed_);
    ForEachTask(tasks_, [this](auto& task) {
      join_.Start(TaskAccess::CoroutineOf(task));
    });
    return join_.MustWait();
  }

 protected:
  // Goes on when `needed` of `tasks` have ended.
  JoinedTasks(Tasks tasks, size_t needed)
      : tasks_(std::move(tasks)), needed_(needed) {}

  Tasks& tasks() { return tasks_; }

  // All but the one that ended first, in the order given.
  void DestroyOthers() {
    ForEachTask(tasks_, [this](auto& task) {
      if (!join_.IsFirst(TaskAccess::CoroutineOf(task))) {
        TaskAccess::Destroy(task);
      }
    });
  }

 private:
  Tasks tasks_;
  size_t needed_;
  Join join_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_JOINED_TASKS_H_
