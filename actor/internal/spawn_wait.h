// Waits in a coroutine for an actor to start: what Actor::SpawnAsync() returns.
#ifndef TROUPE_ACTOR_INTERNAL_SPAWN_WAIT_H_
#define TROUPE_ACTOR_INTERNAL_SPAWN_WAIT_H_

#include <coroutine>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/internal/answer_wait.h"
#include "troupe/actor/internal/awaited_argument.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/handler_forms.h"
#include "troupe/actor/internal/spawn.h"
#include "troupe/actor/spawn_options.h"

namespace troupe {

namespace internal {

// An actor that is to be spawned.
struct LateSpawn {
  SpawnPlan plan;
  SpawnOptions options;
  absl::AnyInvocable<void(Cell&)> construct;
  absl::Duration timeout = absl::InfiniteDuration();
};

class SpawnWait : public AnswerWait {
 public:
  explicit SpawnWait(LateSpawn spawn)
      : AnswerWait(spawn.timeout), spawn_(std::move(spawn)) {}

  bool await_suspend(std::coroutine_handle<> waiting);

 protected:
  ~SpawnWait() { Drop(); }

  absl::StatusOr<AnyActorRef> TakeResult();

 private:
  std::string What() const override;
  // Nobody would know the child.
  void OnGiveUp() override { child_.Kill(); }

  LateSpawn spawn_;
  AnyActorRef child_;
};

template <typename A>
class SpawnAwaiter final : public SpawnWait {
 public:
  using SpawnWait::SpawnWait;
  absl::StatusOr<typename A::Ref> await_resume() {
    return Typed<A>(TakeResult());
  }
};

}  // namespace internal

// A child that is spawned when this is awaited, once.
template <typename A>
class [[nodiscard]] SpawnAwaitable {
 public:
  // Gives up after `timeout`. By default only the deadline of the request that
  // is handled counts.
  SpawnAwaitable Within(absl::Duration timeout) && {
    spawn_.timeout = timeout;
    return std::move(*this);
  }

  internal::SpawnAwaiter<A> operator co_await() && {
    return internal::SpawnAwaiter<A>(std::move(spawn_));
  }

  // For the runtime.
  explicit SpawnAwaitable(internal::LateSpawn spawn)
      : spawn_(std::move(spawn)) {}

 private:
  internal::LateSpawn spawn_;
};

namespace internal {

template <typename A, typename... Args>
SpawnAwaitable<A> SpawnLater(Cell& parent, const SpawnOptions& options,
                             Args&&... args) {
  static_assert(std::is_constructible_v<A, std::unwrap_ref_decay_t<Args>&&...>,
                "this actor cannot be constructed from these arguments");
  static_assert(!(kDestroyedTwiceWhenAwaited<Args> || ...),
                "GCC before 13 would destroy this argument twice where it is "
                "awaited: give it a name, which copies it");
  CheckActor<A>();
  return SpawnAwaitable<A>(
      LateSpawn{PlanFor<A>(*parent.system, &parent), options,
                ConstructLater<A>(std::forward<Args>(args)...)});
}

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTOR_INTERNAL_SPAWN_WAIT_H_
