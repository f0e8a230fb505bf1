// A reference to an actor whose messages are not known: identity, status, and
// how to end it. Convertible from every ActorRef; back only through As(), which
// checks.
//
// Ownership: none. A reference never keeps an actor running and never dangles;
// it may outlive the actor, and the actor's system.
// Thread safety: a value; every function from any thread.
// Blocking: the functions that wait, and say so.
#ifndef TROUPE_ACTOR_ANY_ACTOR_REF_H_
#define TROUPE_ACTOR_ANY_ACTOR_REF_H_

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "troupe/actor/actor_id.h"
#include "troupe/actor/actor_status.h"
#include "troupe/actor/exit_reason.h"
#include "troupe/actor/protocol.h"
#include "troupe/mailbox/message_type.h"

namespace troupe {

template <typename... Ps>
class ActorRef;

namespace internal {

struct Cell;

// The messages of a TypeList, in its order.
template <typename List>
inline constexpr absl::Span<const MessageType* const> kMessageTypes{};
template <typename... Ms>
inline constexpr const MessageType* kMessageTypeArray[] = {
    &kMessageType<Ms>...};
template <typename M, typename... Ms>
inline constexpr absl::Span<const MessageType* const>
    kMessageTypes<TypeList<M, Ms...>>{kMessageTypeArray<M, Ms...>,
                                      1 + sizeof...(Ms)};

}  // namespace internal

class AnyActorRef {
 public:
  // Refers to no actor.
  constexpr AnyActorRef() = default;

  ActorId id() const { return ActorId(id_); }
  bool IsNull() const { return id_ == 0; }
  // Whether the actor lives on another node.
  bool IsRemote() const;

  // kStopped also if it is long gone. Only a snapshot. Of an actor on another
  // node: kRunning as long as there is a connection.
  ActorStatus status() const;

  // Such as "actor #12".
  std::string ToString() const;

  // The same reference with its messages, if the actor takes them all.
  // kNotFound: there is no such actor any more. kFailedPrecondition: it does
  // not take one, which is named, as are all that are asked for and all that it
  // takes.
  template <typename... Ps>
  absl::StatusOr<ActorRef<Ps...>> As() const {
    constexpr absl::Span<const MessageType* const> kAsked =
        internal::kMessageTypes<MessagesOf<Ps...>>;
    if (!Takes(kAsked)) [[unlikely]]
      return WhyNotTaken(kAsked);
    return ActorRef<Ps...>(cell_, id_);
  }

  // -- ending it -------------------------------------------------------------

  // Asks it to stop: the handler that runs finishes, what waits in the mailbox
  // becomes dead letters, PostStop runs. Takes no more messages from now on.
  // The first request to stop decides the reason, by default normal; one that
  // is not graceful becomes the detail of a normal one.
  void Stop() const;
  void Stop(const ExitReason& reason) const;
  // Ends it as soon as the running handler returns; PostStop does not run.
  void Kill() const;
  // Lets it handle what waits, then stops it. Takes no more messages.
  void Drain() const;

  // Waits until it has ended. Returns the reason; at once and kNoActor if it
  // had ended before. kDeadlineExceeded: it has not; that changes nothing for
  // it. kFailedPrecondition: called in a turn, which must not block.
  // kPermissionDenied: the node of an actor elsewhere refuses the wait, or the
  // request.
  absl::StatusOr<ExitReason> Wait(
      absl::Duration timeout = absl::InfiniteDuration()) const;
  // As Wait(), with the wait begun before the request is made.
  absl::StatusOr<ExitReason> StopAndWait(
      const ExitReason& reason = ExitReason::Normal(),
      absl::Duration timeout = absl::InfiniteDuration()) const;
  absl::StatusOr<ExitReason> KillAndWait(
      absl::Duration timeout = absl::InfiniteDuration()) const;
  absl::StatusOr<ExitReason> DrainAndWait(
      absl::Duration timeout = absl::InfiniteDuration()) const;

  friend bool operator==(const AnyActorRef& a, const AnyActorRef& b) {
    return a.id_ == b.id_;
  }
  template <typename H>
  friend H AbslHashValue(H state, const AnyActorRef& ref) {
    return H::combine(std::move(state), ref.id_);
  }
  friend std::ostream& operator<<(std::ostream& os, const AnyActorRef& ref) {
    return os << ref.ToString();
  }

  // For the runtime.
  AnyActorRef(internal::Cell* cell, uint64_t id) : cell_(cell), id_(id) {}
  internal::Cell* cell() const { return cell_; }
  // What the actor takes; nothing if it is gone, or on another node.
  absl::Span<const MessageType* const> messages() const;

 protected:
  // Whether the actor lives and takes all of these.
  bool Takes(absl::Span<const MessageType* const> messages) const;
  // Not OK.
  absl::Status WhyNotTaken(absl::Span<const MessageType* const> messages) const;

  internal::Cell* cell_ = nullptr;
  uint64_t id_ = 0;
};
static_assert(sizeof(AnyActorRef) == 16);

}  // namespace troupe

#endif  // TROUPE_ACTOR_ANY_ACTOR_REF_H_
