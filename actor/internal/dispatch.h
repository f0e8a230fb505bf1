// Handling one envelope of a known type: calling the handler, and from what
// that returns or throws to the answer or the failure. Which type it is:
// dispatcher.h.
#ifndef TROUPE_ACTOR_INTERNAL_DISPATCH_H_
#define TROUPE_ACTOR_INTERNAL_DISPATCH_H_

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actor/delivery.h"
#include "troupe/actor/internal/call_error.h"
#include "troupe/actor/internal/cell.h"
#include "troupe/actor/internal/coroutine.h"
#include "troupe/actor/internal/handler_forms.h"
#include "troupe/actor/internal/handler_state.h"
#include "troupe/actor/internal/lifecycle.h"
#include "troupe/actor/internal/reply.h"
#include "troupe/actor/internal/requests.h"
#include "troupe/actor/internal/shared_payload.h"
#include "troupe/base/contain.h"
#include "troupe/mailbox/envelope.h"

namespace troupe::internal {

// Whether a T says that the call went well, whatever it is.
template <typename T>
inline constexpr bool kIsSuccess = true;
template <>
inline constexpr bool kIsSuccess<absl::Status> = false;
template <typename T>
inline constexpr bool kIsSuccess<absl::StatusOr<T>> = false;

// Answers the request in `envelope` by what its handler returned, and destroys
// it; not if this throws. Whoever waits is no actor, waits no more, or the
// answer is owed elsewhere.
template <typename M, typename Result>
[[gnu::noinline]] void AnswerElsewhere(Envelope* envelope, Result result) {
  const ReplyRoute route = InfoOf<M>(*envelope).route;
  if (route.IsNull()) return DestroyEnvelope(envelope);
  SendReply(route, TurnIntoReply<M, OutcomeOf<M>>(envelope, std::move(result)));
}

// What follows the code of a handler.
enum class Then : uint8_t {
  kStayOutside,  // Of the seat.
  kReturn,       // From user code.
};

// Does what follows. False: the seat is lost.
template <Then kThen>
[[gnu::always_inline]] inline bool Follow() {
  return kThen == Then::kStayOutside || ReturnFromUserCode();
}

// As AnswerElsewhere(), whoever waits, and what follows: to answer an actor
// takes a visit to the seat, which is that of the return as well. False: the
// seat is lost.
template <typename M, Then kThen, typename Result>
[[gnu::always_inline]] inline bool Answer(Envelope* envelope, Result&& result) {
  static_assert(!std::is_reference_v<Result>, "a result is moved");
  if constexpr (!kIsSuccess<Result>) {
    if (!result.ok()) [[unlikely]]
      MarkAnswered(result);
  }
  const RequestInfo& info = InfoOf<M>(*envelope);
  // By its parts: g++ would go through memory.
  const ReplyRoute route = {info.route.where, info.route.id, info.route.number};
  if (!route.IsPlain()) [[unlikely]] {
    AnswerElsewhere<M>(envelope, std::move(result));
    return Follow<kThen>();
  }
  Envelope* const reply =
      TurnIntoReply<M, OutcomeOf<M>>(envelope, std::move(result));
  if constexpr (kThen == Then::kReturn) {
    return SendReplyAndReturn<OutcomeOf<M>>(route, reply);
  } else {
    SendReplyToActor<OutcomeOf<M>>(route, reply);
    return true;
  }
}

// Calls the handler for the M that `envelope` holds.
template <typename A, typename M>
[[gnu::always_inline]] inline HandlerResult<A, M> InvokeOwned(
    A& actor, Envelope* envelope) {
  M& message = envelope->As<M>();
  constexpr HandlerForm kForm = kFormOf<A, M>;
  if constexpr (kForm == HandlerForm::kWithRequest) {
    return actor.Handle(std::move(message), Request::Of<M>(*envelope));
  } else if constexpr (kForm == HandlerForm::kWithReplyTo) {
    RequestInfo& info = InfoOf<M>(*envelope);
    return actor.Handle(
        std::move(message),
        typename ReplyToFor<M>::type(ReplyDuty(
            info, {ActorId(CurrentActor()->CurrentId()), &kMessageType<M>})));
  } else if constexpr (kForm == HandlerForm::kInherited) {
    return static_cast<typename M::HandledBy&>(actor).Handle(
        std::move(message));
  } else {
    return actor.Handle(std::move(message));
  }
}

// How a handler gets at the M in an envelope: it is the handler's own, or
// others read it too.
template <typename M>
struct Owned {
  static void Destroy(Envelope* envelope) {
    envelope->As<M>().~M();
    FreeEnvelopeOf<M>(envelope);
  }
};
template <typename M>
struct Shared {
  static void Destroy(Envelope* envelope) { DestroyEnvelope(envelope); }
};

// Whether the handler for M reads it where it lies.
template <typename A, typename M>
inline constexpr bool kReads = requires {
  static_cast<HandlerResult<A, M> (A::*)(const M&)>(&A::Handle);
}
|| requires {
  static_cast<HandlerResult<A, M> (A::*)(const M&) const>(&A::Handle);
};

// Calls the handler for the M that `envelope` holds or leads to.
template <typename A, typename M, typename How = Owned<M>>
[[gnu::always_inline]] inline HandlerResult<A, M> Invoke(A& actor,
                                                         Envelope* envelope) {
  if constexpr (std::same_as<How, Shared<M>>) {
    return actor.Handle(SharedContentOf(*envelope).body.template As<M>());
  } else {
    return InvokeOwned<A, M>(actor, envelope);
  }
}

// What a handler, or its Task, returns, as what answers the call.
template <typename F>
[[gnu::always_inline]] inline auto ResultOf(F&& result) {
  if constexpr (std::is_void_v<decltype(result())>) {
    result();
    return absl::OkStatus();
  } else {
    return result();
  }
}

// Handles a one-way message in a plain function. False: it failed.
template <typename A, typename M, typename How>
[[gnu::always_inline]] inline bool HandleMessage(Cell& cell, A& actor,
                                                 Envelope* envelope) noexcept {
  struct Disposer {
    ~Disposer() { How::Destroy(envelope); }
    Envelope* envelope;
  } disposer{envelope};
#ifdef __cpp_exceptions
  try {
#endif
    if constexpr (std::same_as<HandlerResult<A, M>, absl::Status>) {
      absl::Status status = Invoke<A, M, How>(actor, envelope);
      if (!status.ok()) [[unlikely]] {
        RecordFailure(cell, std::move(status), &kMessageType<M>);
        return false;
      }
    } else {
      Invoke<A, M, How>(actor, envelope);
    }
    return true;
#ifdef __cpp_exceptions
  } catch (...) {
    RecordFailure(cell, StatusOfException(), &kMessageType<M>);
    return false;
  }
#endif
}

// Whether what is left of a T that was moved from is destroyed without code of
// users.
template <typename T>
inline constexpr bool kDiesQuietly = std::is_trivially_destructible_v<T>;
template <>
inline constexpr bool kDiesQuietly<absl::Status> = true;
template <typename T>
inline constexpr bool kDiesQuietly<absl::StatusOr<T>> = kDiesQuietly<T>;

// Handles a request in a plain function, and does what follows. False: it
// failed, or the seat is lost.
template <typename A, typename M, Then kThen = Then::kStayOutside>
[[gnu::always_inline]] inline bool HandleRequest(Cell& cell, A& actor,
                                                 Envelope* envelope) noexcept {
  if (DropIfGivenUp(cell, envelope, InfoOf<M>(*envelope))) [[unlikely]]
    return Follow<kThen>();
  this_handler.request = envelope;
#ifdef __cpp_exceptions
  try {
#endif
    if constexpr (kFormOf<A, M> == HandlerForm::kWithReplyTo) {
      Invoke<A, M>(actor, envelope);
      this_handler.request = nullptr;
      envelope->As<M>().~M();
      FreeEnvelope(envelope);
      return Follow<kThen>();
    } else {
      auto result = ResultOf([&] { return Invoke<A, M>(actor, envelope); });
      this_handler.request = nullptr;
      if constexpr (kThen == Then::kReturn && !kDiesQuietly<decltype(result)>) {
        Answer<M, Then::kStayOutside>(envelope, std::move(result));
      } else {
        return Answer<M, kThen>(envelope, std::move(result));
      }
    }
    return Follow<kThen>();
#ifdef __cpp_exceptions
  } catch (...) {
    this_handler.request = nullptr;
    FailHandler(cell, envelope, StatusOfException());
    return kThen == Then::kReturn && ReturnFromUserCode();
  }
#endif
}

// Ends the Task of a handler; see RootTask::Finish.
template <typename A, typename M>
void FinishHandler(Cell& cell, RootTask& root, const ExitReason* ended) {
  using Result = typename ResultIn<HandlerResult<A, M>>::type;
  OwnedCoroutine owned(Coroutine::Of(root.frame));
  Envelope* const envelope = root.envelope;
  if (ended != nullptr) {
    { OwnedCoroutine destroyed(std::move(owned)); }
    AbortRequest(cell, *envelope, *ended);
    DestroyEnvelope(envelope);
    return;
  }
  auto& promise = static_cast<TaskPromise<Result>&>(*owned.get());
#ifdef __cpp_exceptions
  try {
#endif
    if constexpr (!RequestType<M> ||
                  kFormOf<A, M> == HandlerForm::kWithReplyTo) {
      absl::Status status;
      if constexpr (std::is_void_v<Result>) {
        promise.TakeResult();
      } else {
        status = promise.TakeResult();
      }
      { OwnedCoroutine destroyed(std::move(owned)); }
      if (!status.ok()) {
        RecordFailure(cell, std::move(status), &kMessageType<M>);
      }
      DestroyEnvelope(envelope);
    } else {
      auto result = ResultOf([&] { return promise.TakeResult(); });
      { OwnedCoroutine destroyed(std::move(owned)); }
      Answer<M, Then::kStayOutside>(envelope, std::move(result));
    }
#ifdef __cpp_exceptions
  } catch (...) {
    absl::Status thrown = StatusOfException();
    { OwnedCoroutine destroyed(std::move(owned)); }
    FailHandler(cell, envelope, std::move(thrown));
  }
#endif
}

// Handles a message in a coroutine.
template <typename A, typename M, typename How>
bool HandleInTask(Cell& cell, A& actor, Envelope* envelope) noexcept {
  if constexpr (RequestType<M>) {
    if (DropIfGivenUp(cell, envelope, InfoOf<M>(*envelope))) [[unlikely]]
      return true;
    this_handler.request = envelope;
  }
  RootTask root;
#ifdef __cpp_exceptions
  try {
#endif
    root.frame = Invoke<A, M, How>(actor, envelope).Release();
#ifdef __cpp_exceptions
  } catch (...) {
    this_handler.request = nullptr;
    FailHandler(cell, envelope, StatusOfException());
    return false;
  }
#endif
  this_handler.request = nullptr;
  root.finish = &FinishHandler<A, M>;
  root.envelope = envelope;
  root.exclusive = kIsExclusive<A, M>;
  HandlerState::Start(cell, root);
  return !HasFailed(cell);
}

// Handles `envelope`, which holds an M, or leads to one, and sees to it that it
// is destroyed, now or when the handler has ended. False: it failed.
template <typename A, typename M, typename How = Owned<M>>
[[gnu::always_inline]] inline bool HandleOne(Cell& cell, A& actor,
                                             Envelope* envelope) noexcept {
  if constexpr (kIsTask<HandlerResult<A, M>>) {
    return HandleInTask<A, M, How>(cell, actor, envelope);
  } else if constexpr (RequestType<M>) {
    return HandleRequest<A, M>(cell, actor, envelope);
  } else {
    return HandleMessage<A, M, How>(cell, actor, envelope);
  }
}

// Whether a plain function answers an M, in the visit to the seat in which it
// returns from user code.
template <typename A, typename M>
inline constexpr bool kAnswersAndReturns =
    RequestType<M> && !kIsTask<HandlerResult<A, M>>;

// The same for an M of the actor's own, and returns from user code. False: the
// seat is lost.
template <typename A, typename M>
[[gnu::always_inline]] inline bool HandleAndReturn(
    Cell& cell, A& actor, Envelope* envelope) noexcept {
  if constexpr (kAnswersAndReturns<A, M>) {
    return HandleRequest<A, M, Then::kReturn>(cell, actor, envelope);
  } else {
    (void)HandleOne<A, M>(cell, actor, envelope);
    return ReturnFromUserCode();
  }
}

// Puts a copy of the message that `envelope` leads to in its place. Null: the
// copy failed.
inline Envelope* TakeOver(Cell& cell, Envelope* envelope) {
  Envelope* own = nullptr;
  absl::Status copied = Contain([&] {
    own = SharedTypeOf(*envelope).copy(SharedContentOf(*envelope).body);
  });
  if (own != nullptr) {
    own->lane = envelope->lane;
    own->target = envelope->target;
    own->tag = envelope->tag & ~kSourceTag;
  } else {
    RecordFailure(cell, std::move(copied));
  }
  DestroyEnvelope(envelope);
  return own;
}

// Handles `envelope`, which leads to an M.
template <typename A, typename M>
bool HandleShared(Cell& cell, A& actor, Envelope* envelope) noexcept {
  if constexpr (kReads<A, M>) {
    return HandleOne<A, M, Shared<M>>(cell, actor, envelope);
  } else {
    Envelope* const own = TakeOver(cell, envelope);
    return own != nullptr && HandleOne<A, M>(cell, actor, own);
  }
}

// -- hooks

// Ends the Task of a hook.
template <typename Result>
void FinishHook(Cell& cell, RootTask& root, const ExitReason* ended) {
  OwnedCoroutine owned(Coroutine::Of(root.frame));
  if (ended == nullptr) {
    auto& promise = static_cast<TaskPromise<Result>&>(*owned.get());
    absl::Status status = Contain([&] { return promise.TakeResult(); });
    if (!status.ok()) RecordFailure(cell, std::move(status));
  }
  { OwnedCoroutine destroyed(std::move(owned)); }
  if (root.envelope != nullptr) DestroyEnvelope(root.envelope);
}

// Runs a hook with its argument, or none. A Task keeps a copy of the argument,
// and may be suspended on return.
template <typename F, typename... Arg>
void RunHook(Cell& cell, F&& hook, const Arg&... arg) {
  using R = decltype(hook(arg...));
  absl::Status status;
  if constexpr (kIsTask<R>) {
    RootTask root;
    status = Contain([&] {
      if constexpr (sizeof...(Arg) == 0) {
        root.frame = hook().Release();
      } else {
        EnvelopePtr kept(MakeEnvelope<Arg...>(arg...));
        root.frame = hook(kept->As<Arg...>()).Release();
        root.envelope = kept.release();
      }
    });
    if (status.ok()) {
      root.finish = &FinishHook<typename ResultIn<R>::type>;
      HandlerState::Start(cell, root);
    }
  } else {
    status = Contain([&] { return hook(arg...); });
  }
  if (!status.ok()) [[unlikely]]
    RecordFailure(cell, std::move(status));
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTOR_INTERNAL_DISPATCH_H_
