// From an actor's class to the table that the runtime runs it by.
#ifndef TROUPE_ACTOR_INTERNAL_ACTOR_TYPE_H_
#define TROUPE_ACTOR_INTERNAL_ACTOR_TYPE_H_

#include <type_traits>
#include <utility>

#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/handed_state.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/dispatch.h"
#include "troupe/actor/internal/dispatcher.h"
#include "troupe/actor/internal/handler_forms.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/queued_turn.h"
#include "troupe/base/check.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Handles what waited when the turn began, unless that takes too long, and ends
// the turn. Most turns handle one message and find nothing else to do.
// REQUIRES: HandlesMessages(cell); it is not empty().
template <typename A>
[[gnu::noinline]] bool HandleMessages(Cell& cell) {
  constexpr uint32_t kMessagesPerLook = 256;
  const Envelope* const last = cell.newest();
  TurnClock clock;
  for (uint32_t handled = 1;; ++handled) {
    Envelope* const envelope = cell.Pop();
    const bool only = envelope == last;
    TROUPE_DCHECK(!IsForSlowWay(*envelope), "that goes the slow way");
    LeaveForUserCode();
    if (!Dispatcher<A, typename A::Messages>::DeliverAndReturn(
            cell, ObjectOf<A>(cell), envelope)) [[unlikely]] {
      return false;
    }
    if (cell.HasNewsOr(0xff & ~Cell::kToken)) [[unlikely]] {
      // Here and below, the worker is not kept in a register: mostly it is not
      // needed, and with the seat kept it is still the same.
      const Attention attention = Attend(cell, *this_thread.worker);
      if (attention >= Attention::kOver) return attention == Attention::kOver;
      // Its messages may be gone, and others be there.
      if (attention == Attention::kEnough || cell.empty() ||
          !HandlesMessages(cell)) {
        break;
      }
    }
    if (only) break;
    if (handled % kMessagesPerLook == 0) [[unlikely]] {
      if (TurnIsLong(cell, clock)) break;
    }
  }
  if (!cell.empty() || cell.attention() != 0) [[unlikely]]
    return FinishTurn(cell, *this_thread.worker);
  cell.queue_next = nullptr;  // It rests; its wake token is in the word.
  return true;
}

template <typename A>
bool RunTurn(Runnable& runnable, Worker& worker) {
  Cell& cell = static_cast<Cell&>(runnable);
  if (cell.attention() != 0) [[unlikely]]
    return RunWholeTurn(cell, worker);
  if (cell.empty()) [[unlikely]]
    return FinishTurn(cell, worker);
  TROUPE_DCHECK(HandlesMessages(cell), "what does not run wants attention");
  return HandleMessages<A>(cell);
}

// What may call into an actor's base class.
struct ActorAccess {
  template <typename A>
  static void Attach(A& actor, Cell& cell) {
    actor.AttachTo(cell);
  }
};

template <typename A>
constexpr ActorType MakeActorType() {
  ActorType type{};
  type.run = &RunTurn<A>;
  type.woken = &CellWoken;
  type.returned = &CellReturned;
  type.release = &CellRelease;
  type.claimed = &CellClaimed;
  type.name = &CellName;
  type.class_name = TypeName<A>();
  type.messages = kMessageTypes<typename A::Messages>;
  type.handle_messages = &HandleMessages<A>;
  type.deliver = [](Cell& cell, Envelope* envelope) {
    return Dispatcher<A, typename A::Messages>::DeliverAny(
        cell, ObjectOf<A>(cell), envelope);
  };
  if constexpr (!kIsInline<A>) {
    type.destroy = [](Cell& cell) { delete &ObjectOf<A>(cell); };
  } else if constexpr (!std::is_trivially_destructible_v<A> ||
                       HasTakeState<A>) {
    type.destroy = [](Cell& cell) { ObjectOf<A>(cell).~A(); };
  }
  if constexpr (HasPreStart<A>) {
    type.pre_start = [](Cell& cell) {
      RunHook(cell, [&] { return ObjectOf<A>(cell).PreStart(); });
    };
  }
  if constexpr (HasPostStart<A>) {
    type.post_start = [](Cell& cell) {
      RunHook(cell, [&] { return ObjectOf<A>(cell).PostStart(); });
    };
  }
  if constexpr (HasPostStop<A>) {
    type.post_stop = [](Cell& cell, const ExitReason& reason) {
      RunHook(
          cell,
          [&](const ExitReason& kept) {
            return ObjectOf<A>(cell).PostStop(kept);
          },
          reason);
    };
  }
  if constexpr (HasOnChild<A>) {
    type.on_child = [](Cell& cell, const ChildEvent& event) {
      RunHook(
          cell,
          [&](const ChildEvent& kept) {
            return ObjectOf<A>(cell).OnChild(kept);
          },
          event);
    };
  }
  if constexpr (requires { requires A::kHearsOfChildrenInHooks; }) {
    type.hears_in_hooks = true;
  }
  if constexpr (HasTakeState<A>) {
    type.take_state = [](Cell& cell) {
      return HandedState(std::move(ObjectOf<A>(cell)).TakeState());
    };
  }
  if constexpr (requires(A & actor, Envelope * envelope) {
                  actor.PassControl(envelope);
                }) {
    type.pass_control = [](Cell& cell, Envelope* envelope) {
      ObjectOf<A>(cell).PassControl(envelope);
    };
  }
  if constexpr (HasOnDown<A>) {
    type.on_down = [](Cell& cell, const Down& down) {
      RunHook(
          cell,
          [&](const Down& kept) { return ObjectOf<A>(cell).OnDown(kept); },
          down);
    };
  }
  if constexpr (HasOnExit<A>) {
    type.on_exit = [](Cell& cell, const Exit& exit) {
      RunHook(
          cell,
          [&](const Exit& kept) { return ObjectOf<A>(cell).OnExit(kept); },
          exit);
    };
  }
  return type;
}

template <typename A>
inline constexpr ActorType kActorType = MakeActorType<A>();

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_ACTOR_TYPE_H_
