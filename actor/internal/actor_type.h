// From an actor's class to the table that the runtime runs it by: hooks found
// by concept, handlers by exact type.
#ifndef TROUPE_ACTOR_INTERNAL_ACTOR_TYPE_H_
#define TROUPE_ACTOR_INTERNAL_ACTOR_TYPE_H_

#include <algorithm>
#include <array>
#include <concepts>
#include <functional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/any_actor_ref.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/protocol.h"
#include "troupe/base/contain.h"
#include "troupe/mailbox/envelope.h"
#include "troupe/scheduler/worker.h"

namespace troupe::internal {

// Stand for a message of exactly type M in the question whether there is a
// handler for it: they convert to nothing else, not even to a base class. Two,
// because no one conversion binds to M, M&& and const M& with every compiler.
template <typename M>
struct ExactlyRvalue {
  template <typename T>
  requires std::same_as<T, M>
  operator T&&() const;  // NOLINT(google-explicit-constructor)
};
template <typename M>
struct ExactlyConst {
  template <typename T>
  requires std::same_as<T, M>
  operator const T&() const;  // NOLINT(google-explicit-constructor)
};

template <typename A, typename M>
concept HasHandler = requires(A& actor, ExactlyRvalue<M> message) {
  actor.Handle(message);
}
|| requires(A& actor, ExactlyConst<M> message) { actor.Handle(message); };

template <typename A, typename M>
requires HasHandler<A, M>
using HandlerResult = decltype(std::declval<A&>().Handle(std::declval<M&&>()));

template <typename A>
concept HasPreStart = requires(A& actor) {
  actor.PreStart();
};
template <typename A>
concept HasPostStart = requires(A& actor) {
  actor.PostStart();
};
template <typename A>
concept HasPostStop = requires(A& actor, const ExitReason& reason) {
  actor.PostStop(reason);
};
template <typename A>
concept HasOnChild = requires(A& actor, const ChildEvent& event) {
  actor.OnChild(event);
};

// A hook or a one-way handler returns nothing, or whether it succeeded.
template <typename R>
concept VoidOrStatus = std::is_void_v<R> || std::same_as<R, absl::Status>;

template <typename A, typename M>
constexpr void CheckHandler() {
  static_assert(HasHandler<A, M>,
                "this actor has no Handle() for exactly this message of its "
                "protocol: take M, const M& or M&&");
  if constexpr (HasHandler<A, M> && !Request<M>) {
    static_assert(VoidOrStatus<HandlerResult<A, M>>,
                  "the handler of a one-way message returns void or "
                  "absl::Status; a message with an answer names it: using "
                  "Reply = ...");
  }
}

template <typename A, typename... Ms>
constexpr void CheckHandlers(TypeList<Ms...>) {
  (CheckHandler<A, Ms>(), ...);
}

// The one-line errors for a class that is no proper actor.
template <typename A>
constexpr void CheckActor() {
  CheckHandlers<A>(typename A::Messages());
  static_assert(std::is_nothrow_destructible_v<A>,
                "an actor's destructor must not throw");
  if constexpr (HasPreStart<A>) {
    static_assert(VoidOrStatus<decltype(std::declval<A&>().PreStart())>,
                  "PreStart returns void or absl::Status");
  }
  if constexpr (HasPostStart<A>) {
    static_assert(VoidOrStatus<decltype(std::declval<A&>().PostStart())>,
                  "PostStart returns void or absl::Status");
  }
}

// Handles `envelope`, which holds an M, and destroys it. False: it failed.
template <typename A, typename M>
[[gnu::always_inline]] inline bool HandleOne(Cell& cell, A& actor,
                                             Envelope* envelope) noexcept {
  struct Disposer {
    ~Disposer() {
      envelope->As<M>().~M();
      FreeEnvelopeOf<M>(envelope);
    }
    Envelope* envelope;
  } disposer{envelope};
  M& message = envelope->As<M>();
#ifdef __cpp_exceptions
  try {
#endif
    if constexpr (!Request<M> &&
                  std::same_as<HandlerResult<A, M>, absl::Status>) {
      absl::Status status = actor.Handle(std::move(message));
      if (!status.ok()) [[unlikely]] {
        RecordFailure(cell, std::move(status));
        return false;
      }
    } else {
      // A request that was sent, not called: nobody waits for the answer.
      static_cast<void>(actor.Handle(std::move(message)));
    }
    return true;
#ifdef __cpp_exceptions
  } catch (...) {
    RecordFailure(cell, StatusOfException());
    return false;
  }
#endif
}

// Finds the handler for an envelope: by comparing one type after the other
// while there are few, by binary search over the types' addresses beyond.
template <typename A, typename List>
struct Dispatcher;

template <typename A, typename... Ms>
struct Dispatcher<A, TypeList<Ms...>> {
  static constexpr size_t kMaxLinear = 8;

  [[gnu::always_inline]] static bool Deliver(Cell& cell, A& actor,
                                             Envelope* envelope) {
    if constexpr (sizeof...(Ms) <= kMaxLinear) {
      bool handled = true;
      const bool found =
          ((envelope->type == &kMessageType<Ms>
                ? (handled = HandleOne<A, Ms>(cell, actor, envelope), true)
                : false) ||
           ...);
      if (!found) [[unlikely]]
        __builtin_unreachable();
      return handled;
    } else {
      static const Table table = MakeTable();
      const auto entry =
          std::lower_bound(table.begin(), table.end(), envelope->type,
                           [](const Entry& candidate, const MessageType* type) {
                             return std::less<>()(candidate.type, type);
                           });
      return entry->handle(cell, actor, envelope);
    }
  }

 private:
  struct Entry {
    const MessageType* type;
    bool (*handle)(Cell&, A&, Envelope*) noexcept;
  };
  using Table = std::array<Entry, sizeof...(Ms)>;

  static Table MakeTable() {
    Table table{Entry{&kMessageType<Ms>,
                      [](Cell& cell, A& actor, Envelope* envelope) noexcept {
                        return HandleOne<A, Ms>(cell, actor, envelope);
                      }}...};
    std::sort(table.begin(), table.end(), [](const Entry& a, const Entry& b) {
      return std::less<>()(a.type, b.type);
    });
    return table;
  }
};

// Whether a handler left something to look at behind.
inline bool NeedsAttention(const Cell& cell) {
  return (cell.attention() & ~Cell::kToken) != 0 || cell.failure != nullptr;
}

// A turn: what waited when it began, unless that takes too long. Most turns
// handle one message and find nothing else to do.
template <typename A>
bool RunTurn(Runnable& runnable, Worker& worker) {
  constexpr uint32_t kMessagesPerLook = 256;
  Cell& cell = static_cast<Cell&>(runnable);
  if (cell.attention() != 0) [[unlikely]] {
    const Attention attention = Attend(cell, worker);
    if (attention != Attention::kGoOn) return attention == Attention::kOver;
  }
  if (cell.empty() || cell.phase != Phase::kRunning) [[unlikely]]
    return FinishTurn(cell, worker);
  const Envelope* const last = cell.newest();
  TurnClock clock;
  for (uint32_t handled = 1;; ++handled) {
    Envelope* const envelope = cell.Pop();
    const bool only = envelope == last;
    LeaveForUserCode();
    Dispatcher<A, typename A::Messages>::Deliver(cell, ObjectOf<A>(cell),
                                                 envelope);
    if (!ReturnFromUserCode()) [[unlikely]]
      return false;
    if (NeedsAttention(cell)) [[unlikely]] {
      const Attention attention = Attend(cell, worker);
      if (attention != Attention::kGoOn) return attention == Attention::kOver;
      // Its messages may be gone.
      if (cell.empty() || cell.phase != Phase::kRunning) break;
    }
    if (only) break;
    if (handled % kMessagesPerLook == 0) [[unlikely]] {
      if (TurnIsLong(cell, clock)) break;
    }
  }
  if (!cell.empty() || cell.attention() != 0) [[unlikely]]
    return FinishTurn(cell, worker);
  cell.queue_next = nullptr;  // It rests; its wake token is in the word.
  return true;
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
  type.name = &CellName;
  type.class_name = TypeName<A>();
  type.messages = kMessageTypes<typename A::Messages>;
  type.deliver = [](Cell& cell, Envelope* envelope) {
    return Dispatcher<A, typename A::Messages>::Deliver(cell, ObjectOf<A>(cell),
                                                        envelope);
  };
  if constexpr (!kIsInline<A>) {
    type.destroy = [](Cell& cell) { delete &ObjectOf<A>(cell); };
  } else if constexpr (!std::is_trivially_destructible_v<A>) {
    type.destroy = [](Cell& cell) { ObjectOf<A>(cell).~A(); };
  }
  if constexpr (HasPreStart<A>) {
    type.pre_start = [](Cell& cell) {
      return Contain([&] { return ObjectOf<A>(cell).PreStart(); });
    };
  }
  if constexpr (HasPostStart<A>) {
    type.post_start = [](Cell& cell) {
      return Contain([&] { return ObjectOf<A>(cell).PostStart(); });
    };
  }
  if constexpr (HasPostStop<A>) {
    type.post_stop = [](Cell& cell, const ExitReason& reason) {
      return Contain([&] { return ObjectOf<A>(cell).PostStop(reason); });
    };
  }
  if constexpr (HasOnChild<A>) {
    type.on_child = [](Cell& cell, const ChildEvent& event) {
      return Contain([&] { return ObjectOf<A>(cell).OnChild(event); });
    };
  }
  return type;
}

template <typename A>
inline constexpr ActorType kActorType = MakeActorType<A>();

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_ACTOR_TYPE_H_
