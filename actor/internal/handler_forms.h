// The forms that a handler may have, found by exact type, and what is wrong
// with one that has none of them.
//
//   message    Handle(M), Handle(const M&) or Handle(M&&), which returns void
//              or absl::Status, or a Task of these
//   request    the same, or with a second parameter Request&; returns what
//              answers it (kAnswers), or a Task of that
//              with a second parameter ReplyTo<Reply>; returns void or
//              Task<void>
//   inherited  where the actor has no handler for a message that names a class
//              (using HandledBy = ...) from which the actor is derived: that
//              class's handler, of the first form. So a class that an actor is
//              derived from besides Actor brings handlers along, whatever
//              Handle() the actor declares.
#ifndef TROUPE_ACTOR_INTERNAL_HANDLER_FORMS_H_
#define TROUPE_ACTOR_INTERNAL_HANDLER_FORMS_H_

#include <concepts>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actor/child_event.h"
#include "troupe/actor/down.h"
#include "troupe/actor/exit.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/actor/reply_of.h"
#include "troupe/actor/reply_to.h"
#include "troupe/actor/request.h"
#include "troupe/actor/task.h"

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

// Whether there is a handler for M and then `More...`.
template <typename A, typename M, typename... More>
concept HandlesWith = requires(A& actor, ExactlyRvalue<M> message,
                               More... more) {
  actor.Handle(message, std::forward<More>(more)...);
}
|| requires(A& actor, ExactlyConst<M> message, More... more) {
  actor.Handle(message, std::forward<More>(more)...);
};

// Whether a class that A is derived from handles M.
template <typename A, typename M>
concept InheritsHandler = requires {
  typename M::HandledBy;
}
&&std::derived_from<A, typename M::HandledBy>;

template <typename M>
struct ReplyToFor {
  using type = void;
};
template <RequestType M>
struct ReplyToFor<M> {
  using type = ReplyTo<typename ReplyOf<M>::type>;
};

enum class HandlerForm {
  kNone,
  kMessage,
  kWithRequest,
  kWithReplyTo,
  kInherited,
  kSeveral
};

template <typename A, typename M>
constexpr HandlerForm FormOf() {
  HandlerForm form = HandlerForm::kNone;
  const auto found = [&form](HandlerForm one) {
    form = form == HandlerForm::kNone ? one : HandlerForm::kSeveral;
  };
  if constexpr (HandlesWith<A, M>) found(HandlerForm::kMessage);
  if constexpr (RequestType<M>) {
    if constexpr (HandlesWith<A, M, Request&>) {
      found(HandlerForm::kWithRequest);
    }
    if constexpr (HandlesWith<A, M, typename ReplyToFor<M>::type>) {
      found(HandlerForm::kWithReplyTo);
    }
  }
  if constexpr (InheritsHandler<A, M>) {
    if (form == HandlerForm::kNone) form = HandlerForm::kInherited;
  }
  return form;
}
template <typename A, typename M>
inline constexpr HandlerForm kFormOf = FormOf<A, M>();

// What the handler for M returns.
template <typename A, typename M>
auto HandlerResultOf() {
  constexpr HandlerForm kForm = kFormOf<A, M>;
  if constexpr (kForm == HandlerForm::kWithRequest) {
    using R = decltype(std::declval<A&>().Handle(std::declval<M&&>(),
                                                 std::declval<Request&>()));
    return std::type_identity<R>();
  } else if constexpr (kForm == HandlerForm::kWithReplyTo) {
    using R = decltype(std::declval<A&>().Handle(
        std::declval<M&&>(), std::declval<typename ReplyToFor<M>::type>()));
    return std::type_identity<R>();
  } else if constexpr (kForm == HandlerForm::kInherited) {
    using R = decltype(std::declval<typename M::HandledBy&>().Handle(
        std::declval<M&&>()));
    return std::type_identity<R>();
  } else {
    using R = decltype(std::declval<A&>().Handle(std::declval<M&&>()));
    return std::type_identity<R>();
  }
}
template <typename A, typename M>
using HandlerResult = typename decltype(HandlerResultOf<A, M>())::type;

// What a Task ends with; any other type itself.
template <typename R>
struct ResultIn {
  using type = R;
};
template <typename T>
struct ResultIn<Task<T>> {
  using type = T;
};

// A hook or a one-way handler returns nothing, or whether it succeeded.
template <typename R>
concept VoidOrStatus = std::is_void_v<R> || std::same_as<R, absl::Status>;

// Whether a handler that returns R answers a request whose reply is `Reply`.
template <typename Reply, typename R>
inline constexpr bool kAnswers =
    std::same_as<R, Reply> || std::same_as<R, absl::StatusOr<Reply>>;
template <typename R>
inline constexpr bool kAnswers<void, R> = VoidOrStatus<R>;
template <typename R>
inline constexpr bool kAnswers<absl::Status, R> = std::same_as<R, absl::Status>;
template <typename T, typename R>
inline constexpr bool kAnswers<absl::StatusOr<T>, R> =
    std::same_as<R, absl::StatusOr<T>> || std::same_as<R, T>;

// Messages that may be handled while others are suspended.
template <typename A>
struct InterleavedIn {
  using type = TypeList<>;
};
template <typename A>
requires requires { typename A::Interleaved; }
struct InterleavedIn<A> {
  using type = MessagesOf<typename A::Interleaved>;
};
template <typename A, typename M>
inline constexpr bool kIsExclusive =
    !kListContains<typename InterleavedIn<A>::type, M>;

template <typename A, typename M>
constexpr void CheckHandler() {
  constexpr HandlerForm kForm = kFormOf<A, M>;
  static_assert(kForm != HandlerForm::kNone,
                "this actor has no Handle() for exactly this message of its "
                "protocol: take M, const M& or M&&, and for a request "
                "Request& or ReplyTo<its Reply> besides if you like");
  static_assert(kForm != HandlerForm::kSeveral,
                "this actor has several Handle() for the same request: with "
                "and without Request& or ReplyTo");
  if constexpr (kForm != HandlerForm::kNone && kForm != HandlerForm::kSeveral) {
    using R = typename ResultIn<HandlerResult<A, M>>::type;
    if constexpr (!RequestType<M>) {
      static_assert(VoidOrStatus<R>,
                    "the handler of a one-way message returns void or "
                    "absl::Status, or a Task of one; a message with an answer "
                    "names it: using Reply = ...");
    } else if constexpr (kForm == HandlerForm::kWithReplyTo) {
      static_assert(std::is_void_v<R>,
                    "a handler with a ReplyTo answers through it: it returns "
                    "void or Task<void>");
    } else {
      static_assert(kAnswers<typename ReplyOf<M>::type, R>,
                    "the handler of a request returns its Reply or an "
                    "absl::StatusOr of it, or a Task of one");
    }
  }
}

template <typename A, typename... Ms>
constexpr void CheckHandlers(TypeList<Ms...>) {
  (CheckHandler<A, Ms>(), ...);
}

// -- hooks

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
template <typename A>
concept HasOnDown = requires(A& actor, const Down& down) {
  actor.OnDown(down);
};
template <typename A>
concept HasOnExit = requires(A& actor, const Exit& exit) {
  actor.OnExit(exit);
};

template <typename A>
concept HasTakeState = requires(A&& actor) {
  std::move(actor).TakeState();
};
// What an actor hands on.
template <HasTakeState A>
using StateOf = std::remove_cvref_t<decltype(std::declval<A>().TakeState())>;
// Whether a new actor takes over what one before it handed on.
template <typename A>
concept HasRestoreState = HasTakeState<A> &&
    requires(A& actor, StateOf<A>&& state) {
  actor.RestoreState(std::move(state));
};

template <typename R>
inline constexpr bool kIsHookResult = VoidOrStatus<typename ResultIn<R>::type>;

// Whether PreStart is a coroutine.
template <typename A>
inline constexpr bool kStartsInTask = false;
template <HasPreStart A>
inline constexpr bool kStartsInTask<A> =
    kIsTask<decltype(std::declval<A&>().PreStart())>;

// The one-line errors for a class that is no proper actor.
template <typename A>
constexpr void CheckActor() {
  CheckHandlers<A>(typename A::Messages());
  static_assert(std::is_nothrow_destructible_v<A>,
                "an actor's destructor must not throw");
  if constexpr (HasPreStart<A>) {
    static_assert(kIsHookResult<decltype(std::declval<A&>().PreStart())>,
                  "PreStart returns void or absl::Status, or a Task of one");
  }
  if constexpr (HasPostStart<A>) {
    static_assert(kIsHookResult<decltype(std::declval<A&>().PostStart())>,
                  "PostStart returns void or absl::Status, or a Task of one");
  }
  if constexpr (HasPostStop<A>) {
    static_assert(kIsHookResult<decltype(std::declval<A&>().PostStop(
                      std::declval<const ExitReason&>()))>,
                  "PostStop returns void or absl::Status, or a Task of one");
  }
  if constexpr (HasOnChild<A>) {
    static_assert(kIsHookResult<decltype(std::declval<A&>().OnChild(
                      std::declval<const ChildEvent&>()))>,
                  "OnChild returns void or absl::Status, or a Task of one");
  }
  if constexpr (HasOnDown<A>) {
    static_assert(kIsHookResult<decltype(std::declval<A&>().OnDown(
                      std::declval<const Down&>()))>,
                  "OnDown returns void or absl::Status, or a Task of one");
  }
  if constexpr (HasOnExit<A>) {
    static_assert(kIsHookResult<decltype(std::declval<A&>().OnExit(
                      std::declval<const Exit&>()))>,
                  "OnExit returns void or absl::Status, or a Task of one");
  }
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_HANDLER_FORMS_H_
