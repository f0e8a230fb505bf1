// Making actors.
#ifndef TROUPE_ACTOR_INTERNAL_SPAWN_H_
#define TROUPE_ACTOR_INTERNAL_SPAWN_H_

#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "troupe/actor/actor_ref.h"
#include "troupe/actor/internal/actor_type.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/cell_pool.h"
#include "troupe/actor/internal/owed_answer.h"
#include "troupe/actor/internal/system_core.h"
#include "troupe/actor/spawn_options.h"

namespace troupe::internal {

struct SpawnPlan {
  SystemCore& system;
  Cell* parent;  // Null: top level. Else its handler is the caller.
  const ActorType& type;
  uint8_t slot_class;
};

// Makes and starts an actor; `construct` builds its object, or throws. PreStart
// runs on the caller's thread. Null: it could not, and `failure`, which was OK,
// says why. Apart, and no StatusOr: two words that fit into registers.
AnyActorRef SpawnHere(const SpawnPlan& plan, const SpawnOptions& options,
                      absl::FunctionRef<void(Cell&)> construct,
                      absl::Status& failure);

// The same for a child without options whose class has no PreStart: nobody can
// know of it before it is launched. The caller is the handler of `parent`.
AnyActorRef SpawnChildHere(Cell& parent, const ActorType& type,
                           uint8_t slot_class,
                           absl::FunctionRef<void(Cell&)> construct,
                           absl::Status& failure);

// Makes an actor that constructs itself in its first turn. Then, if asked, it
// answers how PreStart has ended.
absl::StatusOr<AnyActorRef> SpawnThere(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct,
    OwedAnswer<absl::Status> start_answer = {});

// What who spawns hears of a start that failed.
absl::Status WithContext(const ActorType& type, absl::string_view name,
                         const absl::Status& status);

// As SpawnThere(), and waits for PreStart. REQUIRES: not in a turn.
absl::StatusOr<AnyActorRef> SpawnThereAndWait(
    const SpawnPlan& plan, const SpawnOptions& options,
    absl::AnyInvocable<void(Cell&)> construct);

// Of a cell with an object of class A.
template <typename A>
inline constexpr uint8_t kSlotClass = CellPool::ClassOf(kIsInline<A>
                                                            ? sizeof(A)
                                                            : sizeof(A*));

template <typename A>
SpawnPlan PlanFor(SystemCore& system, Cell* parent) {
  return {system, parent, kActorType<A>, kSlotClass<A>};
}

template <typename A, typename... Args>
void ConstructIn(Cell& cell, Args&&... args) {
  A* actor;
  if constexpr (kIsInline<A>) {
    actor = ::new (cell.inline_storage()) A(std::forward<Args>(args)...);
  } else {
    actor = new A(std::forward<Args>(args)...);
    ::new (cell.inline_storage()) A*(actor);
  }
  ActorAccess::Attach(*actor, cell);
}

// The same with the arguments kept, for another thread; std::ref() keeps a
// reference.
template <typename A, typename... Args>
absl::AnyInvocable<void(Cell&)> ConstructLater(Args&&... args) {
  return [kept = std::tuple<std::unwrap_ref_decay_t<Args>...>(
              std::forward<Args>(args)...)](Cell& cell) mutable {
    std::apply(
        [&cell]<typename... Kept>(Kept&&... unpacked) {
          ConstructIn<A>(cell, std::forward<Kept>(unpacked)...);
        },
        std::move(kept));
  };
}

template <typename A>
typename A::Ref Typed(const AnyActorRef& ref) {
  return typename A::Ref(ref.cell(), ref.id().value());
}
template <typename A>
absl::StatusOr<typename A::Ref> Typed(absl::StatusOr<AnyActorRef> ref) {
  if (!ref.ok()) return std::move(ref).status();
  return Typed<A>(*ref);
}

template <typename A, typename... Args>
absl::StatusOr<typename A::Ref> Spawn(SystemCore& system, Cell* parent,
                                      const SpawnOptions& options,
                                      Args&&... args) {
  static_assert(std::is_constructible_v<A, Args&&...>,
                "this actor cannot be constructed from these arguments");
  CheckActor<A>();
  const SpawnPlan plan = PlanFor<A>(system, parent);
  if (kStartsInTask<A> || RunsElsewhere(options)) [[unlikely]] {
    // The caller waits: its arguments outlive the construction.
    return Typed<A>(SpawnThereAndWait(plan, options, [&](Cell& cell) {
      ConstructIn<A>(cell, std::forward<Args>(args)...);
    }));
  }
  absl::Status failure;
  const AnyActorRef ref = SpawnHere(
      plan, options,
      [&](Cell& cell) { ConstructIn<A>(cell, std::forward<Args>(args)...); },
      failure);
  if (ref.IsNull()) [[unlikely]]
    return failure;
  return Typed<A>(ref);
}

// Spawns a child without options.
template <typename A, typename... Args>
absl::StatusOr<typename A::Ref> SpawnChild(Cell& parent, Args&&... args) {
  if constexpr (HasPreStart<A>) {
    return Spawn<A>(*parent.system, &parent, SpawnOptions(),
                    std::forward<Args>(args)...);
  } else {
    static_assert(std::is_constructible_v<A, Args&&...>,
                  "this actor cannot be constructed from these arguments");
    CheckActor<A>();
    absl::Status failure;
    const AnyActorRef ref = SpawnChildHere(
        parent, kActorType<A>, kSlotClass<A>,
        [&](Cell& cell) { ConstructIn<A>(cell, std::forward<Args>(args)...); },
        failure);
    if (ref.IsNull()) [[unlikely]]
      return failure;
    return Typed<A>(ref);
  }
}

template <typename A, typename... Args>
absl::StatusOr<typename A::Ref> SpawnInstant(SystemCore& system, Cell* parent,
                                             const SpawnOptions& options,
                                             Args&&... args) {
  static_assert(std::is_constructible_v<A, std::unwrap_ref_decay_t<Args>&&...>,
                "this actor cannot be constructed from these arguments");
  CheckActor<A>();
  return Typed<A>(SpawnThere(PlanFor<A>(system, parent), options,
                             ConstructLater<A>(std::forward<Args>(args)...)));
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_SPAWN_H_
